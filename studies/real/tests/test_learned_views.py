import numpy as np

from studies.real.learned_views import learn_body_views

RNG = np.random.default_rng(0)


def test_what_is_learnt_is_the_mean_and_where_people_differ():
    base, axis = RNG.normal(size=(17, 2)), RNG.normal(size=(17, 2))
    base -= base.mean(0)
    base /= np.sqrt((base**2).sum(1).mean())
    axis -= axis.mean(0)
    axis /= np.linalg.norm(axis)
    axis -= (axis * base).sum() / (base**2).sum() * base
    people = base + RNG.normal(0, 0.05, (500, 1, 1)) * axis
    views = learn_body_views(700 * people + 50, axes=1)
    np.testing.assert_allclose(views.mean, base, atol=0.01)
    assert abs((views.axes[0] * axis).sum() / np.linalg.norm(axis)) > 0.999
