"""Parameters that a purchase process might as well have, given what was seen."""

import numpy as np
import pandas as pd

PARAMETERS = {
    "bg_nbd": ("r", "alpha_weeks", "a", "b"),
    "mbg_nbd": ("r", "alpha_weeks", "a", "b"),
    "pareto_nbd": ("r", "alpha_weeks", "s", "beta_weeks"),
}
COLUMNS = {"customer_group": "string", "process": "string", "draw_number": "int64"} | {
    name: "float64" for name in ("r", "alpha_weeks", "a", "b", "s", "beta_weeks")
}


def draws(logarithms: np.ndarray, covariance: np.ndarray) -> np.ndarray:
    """Draws that stand for a normal distribution of the logarithms of parameters.

    Parameters
    ----------
    logarithms : array of float, shape (d,)
        The mean: the logarithms of the estimates.
    covariance : array of float, shape (d, d)

    Returns
    -------
    array of float, shape (2 d, d)
        Parameters, of equal weight. Their logarithms have the given mean and
        covariance exactly.

    Notes
    -----
    Not random: the points lie at +- sqrt(d) times the columns of the covariance's root,
    the spherical cubature of degree three (Stroud 1971, Approximate calculation of
    multiple integrals; Arasaratnam & Haykin 2009, IEEE Transactions on Automatic
    Control 54(6)). The mean and variance of a function of the parameters that bends
    little between them come out as from many random draws of Laplace's approximation.
    """
    root = np.linalg.cholesky(covariance)
    steps = np.sqrt(len(logarithms)) * root.T
    return np.exp(logarithms + np.concatenate([steps, -steps]))


def rounded(learned: pd.DataFrame) -> pd.DataFrame:
    """Round to 10 digits: the last bits depend on where in memory an array lies."""
    for column in learned.select_dtypes("float64"):
        numbers = learned[column].to_numpy()
        with np.errstate(divide="ignore", invalid="ignore"):
            unit = 10.0 ** (np.floor(np.log10(np.abs(numbers))) - 9)
            learned[column] = np.where(
                numbers == 0, 0.0, np.round(numbers / unit) * unit
            )
    return learned


def learn(fitted: pd.DataFrame) -> pd.DataFrame:
    """Draws for each fit.

    Parameters
    ----------
    fitted : DataFrame
        Rows of ml_purchase_process at one cutoff.

    Returns
    -------
    DataFrame
        A row per group, process and draw (from 1).
    """
    rows = []
    for fit in fitted.sort_values(["customer_group", "process"]).to_dict("records"):
        names = PARAMETERS[fit["process"]]
        drawn = draws(
            np.log([fit[name] for name in names]),
            np.reshape(np.asarray(fit["log_covariance"], dtype=float), (4, 4)),
        )
        rows += [
            {
                "customer_group": fit["customer_group"],
                "process": fit["process"],
                "draw_number": number,
            }
            | dict(zip(names, parameters, strict=True))
            for number, parameters in enumerate(drawn, start=1)
        ]
    return rounded(pd.DataFrame(rows, columns=list(COLUMNS)).astype(COLUMNS))


def in_pandas(table) -> pd.DataFrame:
    """Read a table of DuckDB's or Spark's into memory."""
    return table.toPandas() if hasattr(table, "toPandas") else table.df()


def model(dbt, session):
    """Draws for the fits at the live cutoff, where customers are valued."""
    fitted = in_pandas(dbt.ref("ml_purchase_process"))
    return learn(fitted[fitted["cutoff"] == "live"])
