"""The spend process against the published fit, its derivation and lifetimes.

Fader & Hardie 2013, The Gamma-Gamma model of monetary value (note 025); the master file
as fitted by lifetimes.
"""

import lifetimes
import numpy as np
import pandas as pd
import pytest
from conftest import python_model
from purchase_theory import cdnow, gamma_gamma_density

spend_process = python_model("ml_spend_process")


def repeaters(name: str) -> pd.DataFrame:
    """CDNOW's customers with a mean repeat spend above 0."""
    customers = cdnow(name)
    return customers[customers["mean_spend"] > 0]


def fit(customers: pd.DataFrame) -> object:
    return spend_process.fit(customers["frequency"], customers["mean_spend"])


@pytest.mark.parametrize(
    ("name", "customers", "parameters", "log_likelihood"),
    [
        ("sample", 946, (6.24957, 3.74422, 15.44351), -4055.918),
        ("master", 9450, (6.2754, 3.6245, 14.984), -40763.476),
    ],
)
def test_the_published_parameters_come_out_to_three_decimals(
    name, customers, parameters, log_likelihood
):
    known = repeaters(name)
    assert len(known) == customers
    fitted = fit(known)
    assert fitted.parameters == pytest.approx(parameters, abs=5e-4)
    assert fitted.log_likelihood == pytest.approx(log_likelihood, abs=0.001)
    assert fitted.is_converged
    assert not fitted.is_regularised


def test_the_population_mean_is_the_published_one():
    p, q, v = fit(repeaters("sample")).parameters
    assert round(p * v / (q - 1), 2) == 35.17


@pytest.mark.filterwarnings("ignore")
def test_lifetimes_finds_the_same_maximum():
    known = repeaters("sample")
    theirs = lifetimes.GammaGammaFitter().fit(known["frequency"], known["mean_spend"])
    assert theirs.params_.to_numpy() == pytest.approx(fit(known).parameters, rel=1e-4)


@pytest.mark.parametrize(
    "parameters", [(6.25, 3.74, 15.4), (0.3, 1.1, 0.05), (60, 40, 900)]
)
@pytest.mark.parametrize(
    ("frequency", "mean_spend"), [(1, 0.01), (1, 35), (3, 12.5), (400, 80)]
)
def test_the_likelihood_is_the_integral_over_what_differs(
    parameters, frequency, mean_spend
):
    value, _ = spend_process.log_likelihood(
        np.array(parameters), np.array([frequency]), np.array([mean_spend])
    )
    expected = np.log(gamma_gamma_density(parameters, frequency, mean_spend))
    assert value == pytest.approx(expected, abs=1e-8)


@pytest.mark.parametrize(
    "parameters", [(6.25, 3.74, 15.4), (0.3, 1.1, 0.05), (60, 40, 900)]
)
def test_the_gradient_is_that_of_the_likelihood(parameters):
    known = repeaters("sample")
    data = known["frequency"].to_numpy(float), known["mean_spend"].to_numpy()
    centre = np.array(parameters)
    _, gradient = spend_process.log_likelihood(centre, *data)
    for place, shift in enumerate(np.diag(1e-5 * centre)):
        above, _ = spend_process.log_likelihood(centre + shift, *data)
        below, _ = spend_process.log_likelihood(centre - shift, *data)
        slope = (above - below) / (2 * shift[place])
        assert gradient[place] == pytest.approx(slope, rel=1e-5, abs=1e-4)


def test_the_unit_of_money_does_not_matter():
    known = repeaters("sample")
    dollars = fit(known)
    cents = fit(known.assign(mean_spend=known["mean_spend"] * 100))
    assert cents.parameters == pytest.approx(dollars.parameters * [1, 1, 100], rel=1e-6)
    assert cents.log_likelihood == pytest.approx(
        dollars.log_likelihood - 946 * np.log(100), abs=1e-6
    )
    assert cents.covariance == pytest.approx(dollars.covariance, rel=1e-4)


def test_simulated_parameters_come_back_within_three_standard_errors():
    random = np.random.default_rng(6)
    truth = np.array([4.0, 3.5, 20.0])
    frequency = 1 + random.poisson(2, 20_000)
    rate = random.gamma(truth[1], 1 / truth[2], 20_000)
    mean_spend = random.gamma(truth[0] * frequency) / rate / frequency
    fitted = spend_process.fit(frequency, mean_spend)
    assert (np.abs(fitted.parameters - truth) < 3 * fitted.standard_errors).all()


# -- Extremes ---------------------------------------------------------------------

RANDOM = np.random.default_rng(1)
EXTREMES = {
    "all spends are equal": ([1, 2, 3] * 10, [20.0] * 30),
    "equal but for a cent": ([1, 2, 3] * 10, [20.0] * 29 + [20.01]),
    "ten customers": ([1] * 10, RANDOM.gamma(2, 10, 10)),
    "all bought twice": ([1] * 300, RANDOM.gamma(2, 10, 300)),
    "a millionaire": ([1] * 50 + [3], [10.0 + i for i in range(50)] + [1e9]),
    "cents and millions": ([2] * 20, [0.01] * 10 + [1e7] * 10),
    "one with 5,000 purchases": ([1] * 50 + [5000], [5.0 + i for i in range(51)]),
    "means without end": ([3] * 200, 5 * RANDOM.pareto(0.5, 200) + 5),
    "one customer": ([4], [12.0]),
}
UNDECIDED = ("all spends are equal", "equal but for a cent", "one customer")


@pytest.mark.parametrize("case", EXTREMES)
@pytest.mark.filterwarnings("error")
def test_a_fit_is_finite_whatever_the_spends(case):
    fitted = spend_process.fit(*EXTREMES[case])
    assert fitted.is_converged
    assert np.isfinite(fitted.parameters).all()
    assert np.isfinite(fitted.standard_errors).all()
    assert np.isfinite(fitted.log_likelihood)
    assert (fitted.parameters > [0, 1, 0]).all()  # without q > 1 there is no mean
    assert np.linalg.eigvalsh(fitted.covariance).min() > -1e-9
    if case in UNDECIDED:
        assert fitted.is_regularised


@pytest.mark.parametrize(
    ("frequency", "mean_spend"),
    [([1, 0], [5, 5]), ([1, 1], [5, 0]), ([1, 1], [5, -2]), ([1, 1], [5, np.nan])],
)
def test_spends_that_are_not_above_zero_are_refused(frequency, mean_spend):
    with pytest.raises(ValueError, match="above 0"):
        spend_process.fit(frequency, mean_spend)


# -- The table --------------------------------------------------------------------


@pytest.fixture(scope="module")
def spends() -> pd.DataFrame:
    known = repeaters("sample").rename(columns={"mean_spend": "mean_repeat_amount"})
    return pd.concat(
        [known.assign(cutoff="live"), known[:300].assign(cutoff="train")],
        ignore_index=True,
    )[["cutoff", "frequency", "mean_repeat_amount"]]


def test_each_cutoff_has_its_own_fit_and_covariance(spends):
    learned = spend_process.learn(spends).set_index("cutoff")
    assert learned["customer_count"].to_dict() == {"live": 946, "train": 300}
    live = learned.loc["live"]
    assert list(live[["p", "q", "v"]].astype(float)) == pytest.approx(
        (6.24957, 3.74422, 15.44351), abs=5e-4
    )
    fitted = fit(repeaters("sample"))
    found = [
        [
            live["p_log_variance"],
            live["p_q_log_covariance"],
            live["p_v_log_covariance"],
        ],
        [
            live["p_q_log_covariance"],
            live["q_log_variance"],
            live["q_v_log_covariance"],
        ],
        [
            live["p_v_log_covariance"],
            live["q_v_log_covariance"],
            live["v_log_variance"],
        ],
    ]
    assert np.array(found, dtype=float) == pytest.approx(fitted.covariance, rel=1e-4)
    for name in "pqv":
        assert live[f"{name}_standard_error"] == pytest.approx(
            live[name] * np.sqrt(live[f"{name}_log_variance"])
        )
    known = repeaters("sample")
    assert live["frequency_spend_correlation"] == pytest.approx(
        np.corrcoef(known["frequency"], np.log(known["mean_spend"]))[0, 1]
    )


def test_the_order_of_rows_plays_no_part(spends):
    for seed in range(3):
        pd.testing.assert_frame_equal(
            spend_process.learn(spends.sample(frac=1, random_state=seed)),
            spend_process.learn(spends),
            check_exact=True,
        )


def test_nine_customers_have_no_fit(spends):
    assert spend_process.learn(spends[:9]).empty
    assert list(spend_process.learn(spends[:0])) == list(spend_process.COLUMNS)
