"""The purchase processes against published fits, their derivations and other software.

CDNOW: Fader, Hardie & Lee 2005 (Marketing Science 24(2)) for the sample's BG/NBD and
Pareto/NBD; the master file and MBG/NBD as fitted by lifetimes and CLVTools. No prior is
at work in any of them.
"""

import itertools
import warnings

import lifetimes
import numpy as np
import pandas as pd
import pytest
from conftest import python_model
from purchase_theory import (
    PROCESSES,
    beta_geometric_log_likelihood,
    cdnow,
    cdnow_days,
    counted,
    pareto_log_likelihood,
    simulated_bg_nbd,
)
from threadpoolctl import threadpool_limits

purchase_process = python_model("ml_purchase_process")
Histories = purchase_process.Histories

PARAMETERS = {
    ("sample", "bg_nbd"): (0.2425945, 4.4136019, 0.7929199, 2.4258881),
    ("sample", "mbg_nbd"): (0.52484, 6.18309, 0.89136, 1.61400),
    ("sample", "pareto_nbd"): (0.553, 10.578, 0.606, 11.669),
    ("master", "bg_nbd"): (0.2516, 4.7889, 0.7234, 2.1611),
    ("master", "mbg_nbd"): (0.6371, 7.3103, 0.8075, 1.2284),
    ("master", "pareto_nbd"): (0.5974, 11.5859, 0.5222, 8.8274),
}
LOG_LIKELIHOODS = {
    ("sample", "bg_nbd"): -9582.429,
    ("sample", "mbg_nbd"): -9582.136,
    ("sample", "pareto_nbd"): -9594.976,
    ("master", "bg_nbd"): -95368.444,
    ("master", "mbg_nbd"): -95336.958,
    ("master", "pareto_nbd"): -95415.119,
}
STANDARD_ERRORS = {
    # of the sample, each with its last printed digit
    "bg_nbd": [(0.01256, 5), (0.3782, 4), (0.1857, 4), (0.7054, 4)],
    "pareto_nbd": [(0.0476, 4), (0.8427, 4), (0.1873, 4), (6.21, 2)],
}
# Plausible and extreme parameters: r, alpha, then a, b or s, beta.
GRID = {
    "bg_nbd": [(0.05, 0.3, 0.02, 0.1), (0.24, 4.4, 0.8, 2.4), (9, 700, 40, 300)],
    "mbg_nbd": [(0.05, 0.3, 0.02, 0.1), (0.5, 6, 0.9, 1.6), (9, 700, 40, 300)],
    "pareto_nbd": [
        (0.05, 0.3, 0.02, 0.01),
        (0.55, 10.6, 0.6, 11.7),
        (0.55, 11.7, 0.6, 0.05),
        (0.3, 3, 5, 1000),
        (9, 700, 40, 3000),
        # nearly everyone leaves at once: beta far below alpha
        (5, 1000, 5, 0.001),
        (0.5, 0.3, 5, 0.001),
        (0.6, 40, 900, 3),
    ],
}
HISTORIES = [
    # frequency, recency, age
    (0, 0, 0),
    (0, 0, 39),
    (0, 0, 2000),
    (1, 0.14, 39),
    (2, 30.43, 38.86),
    (3, 0, 0),
    (5, 39, 39),
    (26, 30.857, 31),
    (400, 30, 300),
    (5000, 250, 251),
]


def histories_of(customers: pd.DataFrame) -> object:
    rows = counted(customers)
    return Histories(
        rows["frequency"],
        rows["recency_days"] / 7,
        rows["age_days"] / 7,
        rows["customer_count"],
    )


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    """As in the models: the arrays are small."""
    with threadpool_limits(limits=1):
        yield


@pytest.fixture(scope="module")
def fits() -> dict:
    return {
        (name, process): purchase_process.fit(process, histories_of(cdnow(name)))
        for name in ("sample", "master")
        for process in PROCESSES
    }


# -- CDNOW ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "customers", "days", "repeaters", "repeats", "holdout"),
    [
        ("sample", 2357, 6696, 946, 2457, 1882),
        ("master", 23570, 67591, None, 24337, 19684),
    ],
)
def test_cdnow_is_read_as_published(name, customers, days, repeaters, repeats, holdout):
    histories = cdnow(name)
    assert len(histories) == customers
    assert len(cdnow_days(name)) == days
    assert histories["frequency"].sum() == repeats
    assert histories["holdout_purchases"].sum() == holdout
    if repeaters:
        assert (histories["frequency"] > 0).sum() == repeaters


@pytest.mark.parametrize(("name", "process"), PARAMETERS)
def test_the_published_parameters_come_out_to_three_decimals(fits, name, process):
    fitted = fits[name, process]
    assert fitted.parameters == pytest.approx(PARAMETERS[name, process], abs=5e-4)
    assert fitted.log_likelihood == pytest.approx(
        LOG_LIKELIHOODS[name, process], abs=0.001
    )


@pytest.mark.parametrize("process", STANDARD_ERRORS)
def test_the_published_standard_errors_come_out_as_printed(fits, process):
    found = fits["sample", process].standard_errors
    for error, (published, decimals) in zip(
        found, STANDARD_ERRORS[process], strict=True
    ):
        assert round(error, decimals) == published


@pytest.mark.parametrize(("name", "process"), PARAMETERS)
def test_the_data_decide_alone_where_they_can(fits, name, process):
    fitted = fits[name, process]
    assert fitted.is_converged
    assert not fitted.is_regularised
    assert fitted.gradient_norm < 1e-9


@pytest.mark.parametrize(
    ("process", "fitter"),
    [
        ("bg_nbd", lifetimes.BetaGeoFitter),
        ("mbg_nbd", lifetimes.ModifiedBetaGeoFitter),
        ("pareto_nbd", lifetimes.ParetoNBDFitter),
    ],
)
def test_lifetimes_finds_the_same_maximum(fits, process, fitter):
    customers = cdnow("sample")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = fitter().fit(
            customers["frequency"], customers["recency_days"] / 7,
            customers["age_days"] / 7,
        )  # fmt: skip
    fitted = fits["sample", process]
    # its Pareto/NBD search (Nelder-Mead from a random start) stops earlier
    assert theirs.params_.to_numpy() == pytest.approx(fitted.parameters, rel=2e-3)
    ours, _ = purchase_process.log_likelihood(
        process, fitted.parameters, histories_of(customers)
    )
    at_theirs, _ = purchase_process.log_likelihood(
        process, theirs.params_.to_numpy(), histories_of(customers)
    )
    assert at_theirs <= ours + 1e-9


# -- Likelihoods ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("process", "parameters"),
    [(process, grid) for process in PROCESSES for grid in GRID[process]],
)
def test_the_likelihood_is_the_integral_over_what_differs(process, parameters):
    for frequency, recency, age in HISTORIES:
        if process == "pareto_nbd":
            expected = pareto_log_likelihood(parameters, frequency, recency, age)
        else:
            expected = beta_geometric_log_likelihood(
                process, parameters, frequency, recency, age
            )
        value, _ = purchase_process.log_likelihood(
            process,
            np.array(parameters),
            Histories([frequency], [recency], [age], [1]),
        )
        assert value == pytest.approx(expected, rel=1e-9, abs=1e-8), (
            frequency,
            recency,
            age,
        )


@pytest.mark.parametrize(
    ("process", "parameters"),
    [(process, grid) for process in PROCESSES for grid in GRID[process]],
)
def test_the_gradient_is_that_of_the_likelihood(process, parameters):
    histories = Histories(*np.transpose(HISTORIES), np.arange(1, len(HISTORIES) + 1))
    centre = np.log(parameters)
    _, gradient = purchase_process.log_likelihood(process, np.exp(centre), histories)
    step = 1e-4
    for place, shift in enumerate(step * np.eye(4)):
        # five points: the error is of the fourth order in the step
        one, two = (
            purchase_process.log_likelihood(
                process, np.exp(centre + factor * shift), histories
            )[0]
            - purchase_process.log_likelihood(
                process, np.exp(centre - factor * shift), histories
            )[0]
            for factor in (1, 2)
        )
        slope = (8 * one - two) / (12 * step)
        assert gradient[place] == pytest.approx(slope, rel=1e-5, abs=1e-4), place


@pytest.mark.parametrize("process", PROCESSES)
def test_counts_stand_for_customers_one_by_one(process):
    customers = cdnow("sample")
    parameters = np.array(PARAMETERS["sample", process])
    one_by_one = Histories(
        customers["frequency"],
        customers["recency_days"] / 7,
        customers["age_days"] / 7,
        np.ones(len(customers)),
    )
    together = histories_of(customers)
    assert len(together.count) < len(customers) / 2
    values = [
        purchase_process.log_likelihood(process, parameters, histories)
        for histories in (one_by_one, together)
    ]
    assert values[0][0] == pytest.approx(values[1][0], rel=1e-12)
    assert values[0][1] == pytest.approx(values[1][1], abs=1e-6)


@pytest.mark.parametrize("process", PROCESSES)
def test_the_unit_of_time_does_not_matter(fits, process):
    fitted = fits["sample", process]
    weeks = histories_of(cdnow("sample"))
    in_days = purchase_process.fit(process, weeks.scaled(7))
    is_time = np.array(
        [name in ("alpha", "beta") for name in purchase_process.PARAMETERS[process]]
    )
    assert in_days.parameters == pytest.approx(
        fitted.parameters * np.where(is_time, 7, 1), rel=1e-6
    )
    # a density per day instead of per week, for each repeat purchase
    assert in_days.log_likelihood == pytest.approx(
        fitted.log_likelihood - 2457 * np.log(7), abs=1e-6
    )
    assert in_days.covariance == pytest.approx(fitted.covariance, rel=1e-4)


def test_simulated_parameters_come_back_within_three_standard_errors():
    truth = (0.6, 5.0, 0.8, 2.5)
    shop = simulated_bg_nbd(truth, customers=40_000, seed=11)
    fitted = purchase_process.fit(
        "bg_nbd",
        Histories(shop["frequency"], shop["recency"], shop["age"], np.ones(len(shop))),
    )
    assert (np.abs(fitted.parameters - truth) < 3 * fitted.standard_errors).all()


# -- Extremes ---------------------------------------------------------------------

RANDOM = np.random.default_rng(0)
TWENTY_AGES = RANDOM.uniform(5, 39, 20)
TWENTY_FREQUENCIES = RANDOM.poisson(0.8, 20)
EXTREMES = {
    "nobody bought again": ([0] * 5, [0] * 5, [1, 5, 10, 20, 30], [100] * 5),
    "nobody bought again, all of one age": ([0], [0], [30], [100]),
    "everyone bought today": ([1, 2, 8], [10, 30, 39], [10, 30, 39], [20] * 3),
    "everyone is alike": ([4], [30], [39], [1000]),
    "everyone left after a day": ([1], [1 / 7], [200], [1000]),
    "one with 5,000 purchases": ([0, 1, 5000], [0, 9, 70], [39, 39, 71], [99, 99, 1]),
    "all buy a thousand times": ([1000, 2000], [300, 300], [300, 320], [10, 10]),
    "twenty customers": (
        TWENTY_FREQUENCIES,
        np.where(TWENTY_FREQUENCIES > 0, TWENTY_AGES * RANDOM.random(20), 0),
        TWENTY_AGES,
        np.ones(20),
    ),
    "one customer": ([3], [10], [20], [1]),
    "all came today": ([0], [0], [0], [500]),
    # as when ages are rounded to weeks
    "all came this week": ([0, 1, 2], [0, 0, 0], [0, 0, 0], [500, 20, 5]),
    "some came this week": ([0, 1, 2, 1], [0, 0, 0, 7], [0, 0, 9, 20], [500, 20, 5, 9]),
    "a day old": ([0, 1], [0, 1 / 7], [1 / 7, 1 / 7], [100, 20]),
    "centuries old": ([0, 1, 2], [0, 2000, 10000], [5200, 5200, 20000], [100, 20, 10]),
}  # fmt: skip
UNDECIDED = (
    "nobody bought again",
    "everyone bought today",
    "everyone is alike",
    "one customer",
    "all came today",
)


@pytest.mark.parametrize(
    ("case", "process"), list(itertools.product(EXTREMES, PROCESSES))
)
@pytest.mark.filterwarnings("error")
def test_a_fit_is_finite_whatever_the_histories(case, process):
    fitted = purchase_process.fit(process, Histories(*EXTREMES[case]))
    assert fitted.is_converged
    assert np.isfinite(fitted.parameters).all()
    assert (fitted.parameters > 0).all()
    assert np.isfinite(fitted.log_likelihood)
    assert np.isfinite(fitted.standard_errors).all()
    assert np.linalg.eigvalsh(fitted.covariance).min() > 0
    if case in UNDECIDED:
        assert fitted.is_regularised


@pytest.mark.parametrize(
    ("case", "process"), list(itertools.product(UNDECIDED, PROCESSES))
)
@pytest.mark.filterwarnings("error")
def test_a_million_customers_who_tell_nothing_give_a_finite_fit_too(case, process):
    frequency, recency, age, count = EXTREMES[case]
    many = np.array(count) * (1_000_000 // sum(count))
    fitted = purchase_process.fit(process, Histories(frequency, recency, age, many))
    assert fitted.is_converged
    assert np.isfinite([*fitted.parameters, *fitted.standard_errors]).all()


@pytest.mark.parametrize("process", PROCESSES)
@pytest.mark.parametrize("seed", range(15))
@pytest.mark.filterwarnings("error")
def test_twenty_customers_are_enough_to_be_finite(process, seed):
    random = np.random.default_rng(seed)
    age = random.uniform(5, 39, 20)
    frequency = random.poisson(0.8, 20)
    recency = np.where(frequency > 0, age * random.random(20), 0)
    fitted = purchase_process.fit(
        process, Histories(frequency, recency, age, np.ones(20))
    )
    assert fitted.is_converged
    assert np.isfinite([*fitted.parameters, *fitted.standard_errors]).all()


@pytest.mark.parametrize(
    "history",
    [(1, 5, 4, 1), (-1, 0, 4, 1), (1, -1, 4, 1), (0, 0, -1, 1), (0, 0, 1, -1)],
    ids=["recency beyond age", "frequency", "recency", "age", "count"],
)
def test_impossible_histories_are_refused(history):
    with pytest.raises(ValueError, match="0 <= recency <= age"):
        Histories(*([number] for number in history))


@pytest.mark.parametrize("place", range(4))
def test_a_history_that_is_not_a_number_is_refused(place):
    history = [1.0, 2.0, 3.0, 1.0]
    history[place] = np.nan
    with pytest.raises(ValueError, match="history"):
        Histories(*([number] for number in history))


# -- The table --------------------------------------------------------------------


def table_of(customers: pd.DataFrame, cutoff: str, group: str) -> pd.DataFrame:
    return counted(customers).assign(cutoff=cutoff, customer_group=group)


@pytest.fixture(scope="module")
def shop() -> pd.DataFrame:
    """CDNOW's sample in two channels, of which one is too small for its own group."""
    customers = cdnow("sample")
    return pd.concat(
        [
            table_of(customers[:1500], "live", "search"),
            table_of(customers[1500:], "live", "all channels"),
            table_of(customers[:700], "train", "search"),
            # the newcomer, whom nobody is
            pd.DataFrame(
                [[0, 0, 0, 0, "live", "search"]],
                columns=table_of(customers, "", "").columns,
            ),
        ],
        ignore_index=True,
    )  # fmt: skip


def test_a_group_is_learned_of_its_own_customers_and_all_channels_of_everyone(shop):
    learned = purchase_process.learn(shop).set_index(
        ["cutoff", "customer_group", "process"]
    )
    assert sorted(learned.index.droplevel(2).unique()) == [
        ("live", "all channels"),
        ("live", "search"),
        ("train", "all channels"),
        ("train", "search"),
    ]
    everyone = learned.loc["live", "all channels", "bg_nbd"]
    assert everyone["customer_count"] == 2357
    assert everyone["repeater_count"] == 946
    # of the rows of the newcomer's, whom nobody is, nothing is counted
    assert everyone["history_count"] == 1016
    assert everyone["log_likelihood"] == pytest.approx(-9582.429, abs=0.001)
    estimates = everyone[["r", "alpha_weeks", "a", "b"]].astype(float)
    assert list(estimates) == pytest.approx(PARAMETERS["sample", "bg_nbd"], abs=5e-4)
    assert np.isnan(everyone["s"])
    assert learned.loc["live", "search", "bg_nbd"]["customer_count"] == 1500
    pareto = learned.loc["live", "all channels", "pareto_nbd"]
    assert pareto["beta_weeks"] == pytest.approx(11.669, abs=5e-4)
    assert pareto["beta_weeks_standard_error"] == pytest.approx(6.21, abs=0.005)


def test_the_order_of_rows_plays_no_part(shop):
    learned = purchase_process.learn(shop)
    for seed in range(3):
        shuffled = shop.sample(frac=1, random_state=seed)
        pd.testing.assert_frame_equal(
            purchase_process.learn(shuffled), learned, check_exact=True
        )


@pytest.mark.parametrize("case", EXTREMES)
def test_the_table_has_finite_numbers_or_no_row(case):
    frequency, recency, age, count = EXTREMES[case]
    learned = purchase_process.learn(
        pd.DataFrame(
            {
                "cutoff": "live",
                "customer_group": "all channels",
                "frequency": frequency,
                "recency_days": np.multiply(recency, 7),
                "age_days": np.multiply(age, 7),
                "customer_count": count,
            }
        )
    )
    repeaters = np.sum(np.array(count)[np.array(frequency) > 0])
    assert len(learned) == (3 if repeaters >= 10 else 0)
    for row in learned.to_dict("records"):
        names = ["r", "alpha_weeks"] + (
            ["s", "beta_weeks"] if row["process"] == "pareto_nbd" else ["a", "b"]
        )
        assert np.isfinite([row[name] for name in names]).all()
        assert np.isfinite([row[f"{name}_standard_error"] for name in names]).all()
        assert np.isfinite([row["log_likelihood"], *row["log_covariance"]]).all()


def test_a_shop_without_customers_has_no_row(shop):
    assert purchase_process.learn(shop[:0]).empty
    assert list(purchase_process.learn(shop[:0])) == list(purchase_process.COLUMNS)
