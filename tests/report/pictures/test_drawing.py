"""Parts of pictures: images of cells, passages above them, and what a kind's frame holds."""

import base64
import io
import re
import struct

import numpy as np
import pytest
from matplotlib.image import imread

from ontogeny.config.pictures import PictureCard
from ontogeny.pipeline.pictures import Recording
from ontogeny.report.pictures import attention, features, fourier, own, singular_values, token_losses
from ontogeny.report.pictures.drawing import LEVELS, Span, cells_png, heat_map, span_marks


def pixels(address):
    """The image at an address, [rows, columns, red green blue opacity] from 0 to 1."""
    return imread(io.BytesIO(base64.b64decode(address.removeprefix("data:image/png;base64,"))))


def recording(kind, along, **constant):
    count = len(next(iter(along.values())))
    return Recording(
        kind=kind,
        steps=tuple(range(0, 10 * count, 10)),
        along={name: np.asarray(array) for name, array in along.items()},
        constant={name: np.asarray(array) for name, array in constant.items()},
    )


@pytest.mark.parametrize("columns", [4, 5])
def test_the_opacity_of_a_cell_is_its_share(columns):
    shares = np.arange(3 * columns).reshape(3, columns) / (3 * columns - 1)
    image = pixels(cells_png(shares))
    assert image.shape == (3, columns, 4)
    np.testing.assert_allclose(image[..., 3], np.rint(LEVELS * shares) / LEVELS, atol=1e-6)
    assert len(np.unique(image[..., :3].reshape(-1, 3), axis=0)) == 1


def test_shares_beyond_the_scale_and_gaps_are_drawn_at_its_ends():
    np.testing.assert_array_equal(pixels(cells_png(np.array([[-1.0, 2.0, np.nan]])))[0, :, 3], [0, 1, 0])


def test_passages_that_overlap_lie_in_different_rows():
    marks = span_marks([Span(name="1", first=0, last=4), Span(name="2", first=3, last=6), Span(name="3", first=5, last=9)], 10)
    assert re.findall(r"--lane:(\d)", marks) == ["0", "1", "0"]
    assert "--lanes:2" in marks
    assert 'left:30.00%;width:40.00%;--lane:1">2<' in marks
    assert span_marks([], 10) == ""


def test_a_heat_map_says_its_rows_steps_and_words():
    drawn = heat_map(np.eye(2), ["a<b", "c"], [0, 1500], [], 'two "rows"')
    assert "<span>a&lt;b</span><span>c</span>" in drawn
    assert 'data-steps="0 1500"' in drawn
    assert ">1,500</span>" in drawn
    assert 'aria-label="two &quot;rows&quot;"' in drawn


def test_the_hull_of_a_pentagon_with_a_dead_feature():
    angles = 2 * np.pi * np.arange(5) / 5
    pentagon = np.array([np.cos(angles), np.sin(angles)])
    vectors = np.concatenate([pentagon, [[0.02], [0.01]]], axis=1)
    assert features.hull(vectors).tolist() == [0, 1, 2, 3, 4]
    (film,) = features.films(recording("features", {"vectors": [vectors, np.roll(vectors, 1, axis=1) / 2]}))
    assert film.words == ["5 corners", "5 corners"]
    corners = re.search(r'<polygon class="hull" points="([^"]*)"', film.frames[0])[1].split()
    x, y = np.array([list(map(float, corner.split(","))) for corner in corners]).T
    np.testing.assert_allclose(np.hypot(x - 80, y - 80), 58, atol=0.1)
    assert film.frames[0].count("<circle") == 6
    names = re.findall(r"<text[^>]*>(\d)</text>", film.frames[0])
    assert names == ["0", "1", "2", "3", "4"]  # the dead one has none


def test_a_hand_made_attention_pattern_is_drawn_head_by_head():
    patterns = np.zeros((1, 1, 2, 4, 4), np.uint8)
    patterns[0, 0, 0] = 255 * np.eye(4)
    patterns[0, 0, 1, 1:, :-1] = 255 * np.eye(3)  # the previous token
    (film,) = attention.films(recording("attention", {"patterns": patterns}, texts=list("a<b\n")))
    image = pixels(re.search(r'href="([^"]*)"', film.frames[0])[1])[..., 3]
    band = len(image) - 4
    np.testing.assert_array_equal(image[band:, :4], np.eye(4))
    np.testing.assert_array_equal(image[band:, 7:], np.eye(4, k=-1))
    assert image[:band].sum() == image[:, 4:7].sum() == 0
    assert "layer 0 head 1" in film.frames[0]
    assert "a&lt;b⏎" in film.more


def test_tokens_are_coloured_by_loss_and_by_its_change():
    texts = ["the", " cat", " sat"]
    losses = {f"{name}_losses": np.array([[np.log(4), 0.0], [0.0, np.log(4) / 4]]) for name in ("plain", "repeated")}
    (film,) = token_losses.films(recording("token_losses", losses, plain_texts=texts, repeated_texts=texts, vocabulary=4))
    assert '<i>the</i><i class="p10"> cat</i><i> sat</i>' in film.frames[0]
    assert '<i>the</i><i> cat</i><i class="p2"> sat</i>' in film.frames[1]
    change = film.change(0, 1)
    assert '<i>the</i><i class="m10"> cat</i><i class="p5"> sat</i>' in change
    assert "plain text −0.520" in change
    assert change.count('aria-label="second half"') == 1


def test_the_fourier_plane_and_its_spectrum():
    angles = 2 * np.pi * np.arange(5) / 5
    circle = np.stack([np.cos(2 * angles), np.sin(2 * angles)], axis=1)
    of = recording("fourier", {"coordinates": [circle], "frequency": [2], "spectrum": [[0.25, 0.75]]})
    (film,), (still,) = fourier.films(of), fourier.stills(of, None, None)
    assert film.words == ["k = 2, 75% of the variance"]
    assert film.frames[0].count("<circle") == 5
    assert "hsl(144 60% 50%)" in film.frames[0]  # 2 · 1 / 5 of the circle of hues
    image = pixels(re.search(r'src="([^"]*)"', still.html)[1])
    np.testing.assert_allclose(image[:, 0, 3], [1 / 3, 1], atol=1e-6)


def test_singular_values_are_counted_against_the_teacher_s():
    of = recording("singular_values", {"values": [[0.4, 0.1], [2.0, 0.1], [2.0, 0.6]]}, teacher=[2.0, 1.0])
    (film,) = singular_values.films(of)
    assert film.words == ["0 of 2 learnt", "1 of 2 learnt", "2 of 2 learnt"]
    assert 'height="84.0"' in film.frames[1]
    assert 'd="M5.0 8.0h75.0"' in film.frames[0]


def test_a_picture_of_ones_own_has_the_form_of_its_card_or_of_its_shape():
    arrays = {"cloud": np.ones((2, 5, 2)), "table": np.ones((2, 3, 4)), "row": np.ones((2, 6)), "pairs": np.ones((2, 5, 2))}
    cards = {
        "table": PictureCard(title="My table", caption="What it says."),
        "pairs": PictureCard(title="Pairs", form="cells"),
        "row": PictureCard(title="Row", form="points"),
    }
    cloud, table, row, pairs = own.films(recording("own.py:views", arrays), cards)
    assert (cloud.title, table.title) == ("cloud", "My table")
    assert table.caption.startswith("What it says. A cell is an entry")
    assert cloud.frames[0].count("<circle") == 5
    assert row.frames[0].count("<rect") == 6  # a row cannot be points
    address = re.search(r'href="([^"]*)"', pairs.frames[0])[1]
    assert struct.unpack(">II", base64.b64decode(address.split(",")[1])[16:24]) == (2, 5)
