"""Feature norms and dimensionalities, against values known by hand (Elhage et al. 2022)."""

import jax.numpy as jnp
import numpy as np
import pytest

from ontogeny.models.superposition import polygon
from ontogeny.observables.features import dimensionality, dimensions_per_feature, per_feature


def test_orthogonal_features_have_a_dimension_each():
    np.testing.assert_allclose(dimensionality(3.0 * jnp.eye(4)), 1, rtol=1e-6)
    assert float(dimensions_per_feature(jnp.eye(4))) == 1


@pytest.mark.parametrize("k", [4, 5, 6])
def test_features_of_a_polygon_share_the_plane_evenly(k):
    weight, _ = polygon(k, 6)
    np.testing.assert_allclose(dimensionality(jnp.asarray(weight)), np.where(np.arange(6) < k, 2 / k, 0), rtol=1e-5)


def test_dimensions_per_feature_counts_represented_features():
    weight, _ = polygon(4, 6)
    assert float(dimensions_per_feature(jnp.asarray(weight))) == pytest.approx(2 / 4)


def test_components_are_numbered():
    assert per_feature(jnp.array([1.0, 2.0])) == {"features.0": 1.0, "features.1": 2.0}
