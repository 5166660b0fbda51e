"""Take the pictures of pages that the docs show, by a headless Chromium.

Run it as: python -m benchmarks.page_pictures results docs/images
"""

import argparse
import shutil
import subprocess
from pathlib import Path

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
PICTURES = {
    "index-page": ("report/index.html", 1150, 760),
    "superposition-page": ("superposition/base/seed~0/report.html", 1150, 1380),
    "induction-page": ("induction/layers~2/seed~0/report.html", 1150, 900),
}
"""Name of a picture -> page, width and height of the window in pixels."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", type=Path)
    parser.add_argument("folder", type=Path)
    arguments = parser.parse_args()
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        parser.error(f"it needs one of {', '.join(BROWSERS)}")
    for name, (page, width, height) in PICTURES.items():
        address, target = (arguments.results / page).resolve().as_uri(), (arguments.folder / f"{name}.png").resolve()
        options = ["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--virtual-time-budget=12000"]
        size = f"--window-size={width},{height}"
        subprocess.run([browser, *options, size, f"--screenshot={target}", address], check=True, capture_output=True)
        print(target)


if __name__ == "__main__":
    main()
