"""Pictures of the network from config.yaml to the pages, one of the user's own among them."""

import numpy as np
import pytest
from small_study import make_study

from ontogeny.results import load_run

OWN = '''
"""How much the features overlap."""

def gram(network, task):
    return {"overlaps": lambda params: params["weight"].T @ params["weight"]}
'''
CARD = "pictures: {overlaps: {title: Overlaps of features, caption: Entry i j is the product of two columns of W., form: cells}}"


@pytest.mark.end_to_end
def test_a_picture_of_ones_own_stands_beside_the_built_in_ones(tmp_path):
    study = make_study(tmp_path / "study")
    study.edit(
        "    checkpoints: {linear: 9}\n    llc: {sampler",
        "    checkpoints: {linear: 9}\n    pictures: [features, own.py:gram]\n    llc: {sampler",
    )
    (study.folder / "own.py").write_text(OWN)
    (study.folder / "own.card.yaml").write_text(CARD)
    study.snakemake()
    folder = study.folder / "results/toy/base/seed~0"
    run = load_run(folder)
    assert list(run.pictures) == ["features", "own.py:gram"]
    own = run.pictures["own.py:gram"]
    weight = run.params(list(own.steps))["weight"]
    np.testing.assert_allclose(own.along["overlaps"], np.einsum("cdi,cdj->cij", weight, weight), atol=1e-5)
    page = (folder / "report.html").read_text()
    assert page.index("Feature vectors") < page.index("Overlaps of features") < page.index('id="development"')
    assert "Entry i j is the product of two columns of W." in page
    family = (study.folder / "results/toy/report.html").read_text()
    assert "Overlaps of features of seed 1" in family
    induction = (study.folder / "results/induction/base/seed~0/report.html").read_text()
    assert "Attention of every head" in induction
    assert "What each token costs" in induction
    (study.folder / "own.card.yaml").write_text(CARD.replace("Overlaps of features", "Gram matrix"))
    assert study.planned() == {"run_pages": 1, "family_page": 1, "index_page": 1}
    (study.folder / "own.py").write_text(OWN.replace('["weight"].T @ params', '["weight"].T @ -params'))
    assert {"observe", "detect", "run_pages"} <= study.planned().keys()
    assert not {"train", "sample", "estimate"} & study.planned().keys()
