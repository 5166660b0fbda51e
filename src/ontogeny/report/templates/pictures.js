/* Every film shows the recorded checkpoint nearest to a step. A slider tells the whole page the step by the event
   ontogeny:step with detail {step}; other films, tables of cells and plots follow it. */
(() => {
  const nearest = (steps, step) => steps.reduce((best, one, place) => (Math.abs(one - step) < Math.abs(steps[best] - step) ? place : best), 0);
  const tell = (step) => document.dispatchEvent(new CustomEvent("ontogeny:step", { detail: { step } }));
  const words = (step) => `step ${step.toLocaleString("en-US")}`;

  function film(element) {
    const frames = [...element.querySelectorAll("template")], steps = frames.map((one) => Number(one.dataset.step));
    const stage = element.querySelector(".stage"), input = element.querySelector("input"), play = element.querySelector(".play");
    const [at, what] = element.querySelectorAll("output > *"), title = stage.getAttribute("aria-label").split(" at step ")[0];
    let shown = steps.length - 1, timer = null;

    function show(place) {
      if (place === shown) return;
      shown = place;
      const frame = frames[place], text = words(steps[place]);
      stage.replaceChildren(frame.content.cloneNode(true));
      stage.setAttribute("aria-label", `${title} at ${text}: ${frame.dataset.words}`);
      input.value = place;
      input.setAttribute("aria-valuetext", text);
      at.textContent = text;
      what.textContent = frame.dataset.words;
    }

    function stop() {
      clearInterval(timer);
      timer = null;
      play.textContent = "▶";
    }

    function start() {
      let place = shown === steps.length - 1 ? -1 : shown;
      play.textContent = "❚❚";
      timer = setInterval(() => { tell(steps[++place]); if (place === steps.length - 1) stop(); }, 120);
    }

    input.addEventListener("input", () => { stop(); tell(steps[input.value]); });
    play.addEventListener("click", () => (timer === null ? start() : stop()));
    return (step) => show(nearest(steps, step));
  }

  function heatMap(element) {
    const steps = element.dataset.steps.split(" ").map(Number), here = element.querySelector(".here");
    return (step) => {
      here.hidden = false;
      here.style.left = `${(100 * (nearest(steps, step) + 0.5)) / steps.length}%`;
    };
  }

  const followers = [...document.querySelectorAll(".film")].map(film).concat([...document.querySelectorAll(".heat")].map(heatMap));
  document.addEventListener("ontogeny:step", (event) => {
    if (event.detail?.step !== undefined) followers.forEach((follow) => follow(event.detail.step));
  });
})();
