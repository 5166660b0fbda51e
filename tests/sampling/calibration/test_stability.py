import pytest

from ontogeny.sampling.calibration.stability import in_words, stability
from ontogeny.sampling.kernels.sghmc import SGHMC
from ontogeny.sampling.kernels.sgld import SGLD


@pytest.mark.parametrize(("step_size", "kind"), [(0.077 / 301, "stable"), (0.08 / 301, "too long"), (4.01 / 301, "unstable")])
def test_a_step_is_stable_too_long_or_unstable(step_size, kind):
    """A bias of 2% is passed from 1 / (1 - εa/4) = 1.02 on, εa = .0784."""
    found = stability(SGLD(step_size=step_size), inverse_temperature=100.0, curvature=3.0, localization=1.0)
    assert found.kind == kind
    assert found.value == pytest.approx(step_size * 301)
    assert in_words(found).startswith(f"{kind}: ε (nβ h_max + γ) = {found.value:.3g}")


def test_the_longest_step_of_one_that_is_too_long_is_stable():
    settings = {"inverse_temperature": 100.0, "curvature": 3.0, "localization": 1.0, "minibatch_noise": 0.2}
    found = stability(SGLD(step_size=1e-3), **settings)
    assert found.kind == "too long" and f"step_size {found.longest_step:.2g} keeps within 2%" in in_words(found)
    longest = stability(SGLD(step_size=found.longest_step), **settings)
    assert longest.kind == "stable" and max(longest.step_bias, longest.noise_bias) == pytest.approx(0.02)
    assert stability(SGLD(step_size=1.01 * found.longest_step), **settings).kind == "too long"


def test_chains_of_an_unstable_step_diverge_from_the_longest_step_on():
    found = stability(SGHMC(step_size=1.0, friction=0.5), inverse_temperature=100.0, curvature=3.0, localization=1.0)
    assert found.longest_step == pytest.approx(6 / 301)
    assert found.bias == float("inf")
    assert in_words(found).endswith("step_size must be below 0.0199")


def test_a_curvature_that_is_not_a_number_is_unstable():
    assert stability(SGLD(step_size=1e-3), 1.0, float("nan"), 1.0).kind == "unstable"


def test_pilot_chains_that_died_are_counted_in_the_sentence():
    found = stability(SGLD(step_size=1e-3), inverse_temperature=10.0, curvature=1.0, localization=1.0)
    died = found._replace(kind="unstable", dead_chains=3, pilot_chains=8)
    assert in_words(died).startswith("unstable: 3 of 8 pilot chains died; ε (nβ h_max + γ) = 0.011, a step-size bias of")
