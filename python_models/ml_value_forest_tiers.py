"""The random forest asked about each customer: the one score that SQL does not make."""

import numpy as np
import pandas as pd

TIERS = ("low", "medium", "high")

# What was learned from the window before is asked at the cutoff after it.
ASKED_AT = {"test": "train", "train": "live"}

# Customers come, are scored and are put down in batches of so many vectors of DuckDB's
# (2,048 rows): memory does not grow with their number.
BATCH_VECTORS = 32

COLUMNS = {
    "cutoff": "varchar",
    "customer_id": "varchar",
    "forest_tier": "varchar",
    "forest_tier_rate": "double",
}


class Forest:
    """A forest from its table, as arrays.

    Attributes
    ----------
    traits : list of str
        The columns that `shares` expects, in order.
    usual : array of float, shape (3,)
        Shares of low, medium and high among all customers learned from.
    """

    def __init__(self, nodes: pd.DataFrame) -> None:
        """Take the rows of ml_value_model of one cutoff."""
        rates = ["low_rate", "medium_rate", "high_rate"]
        root = nodes[(nodes["learner"] == "tree") & (nodes["node_number"] == 0)]
        self.usual = root[rates].to_numpy(dtype=float)[0]
        forest = nodes[nodes["learner"] == "forest"].sort_values(
            ["tree_number", "node_number"], ignore_index=True
        )
        is_leaf = forest["is_leaf"].to_numpy(dtype=bool)
        self.traits = sorted(forest["trait_name"].dropna().unique())
        place = {trait: number for number, trait in enumerate(self.traits)}
        # all trees in one set of arrays; a leaf leads to itself
        tree = forest["tree_number"].to_numpy()
        self.roots = np.flatnonzero(forest["node_number"].to_numpy() == 0)
        first = self.roots[np.searchsorted(tree[self.roots], tree)]
        own = np.arange(len(forest))
        self.children = np.empty(2 * len(forest), dtype=np.intp)
        for side, child in enumerate(["left_node", "right_node"]):
            number = forest[child].fillna(0).to_numpy(dtype=int)
            self.children[side::2] = np.where(is_leaf, own, first + number)
        self.trait = forest["trait_name"].map(place).fillna(0).to_numpy(dtype=np.intp)
        self.threshold = forest["threshold"].fillna(0).to_numpy(dtype=float)
        self.rates = forest[rates].to_numpy(dtype=float)
        self.depths = forest.groupby("tree_number")["depth"].max().to_numpy()

    def shares(self, features: np.ndarray) -> np.ndarray:
        """Average over the trees the shares of the tiers where each customer ends.

        Parameters
        ----------
        features : array of float, shape (n, k)
            Columns as `traits` says.

        Returns
        -------
        array of float, shape (n, 3)
            What RandomForestClassifier.predict_proba says, up to rounding.
        """
        customers = len(features)
        flat = np.ascontiguousarray(features).ravel()
        row = np.arange(customers) * features.shape[1]
        total = np.zeros((customers, len(TIERS)))
        for root, depth in zip(self.roots, self.depths, strict=True):
            node = np.full(customers, root)
            for _ in range(depth):
                value = flat.take(row + self.trait.take(node))
                goes_right = value > self.threshold.take(node)
                node = self.children.take(2 * node + goes_right)
            total += self.rates.take(node, axis=0)
        return total / len(self.roots)

    def tiers(self, features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Name each customer's tier as the rules do (tiers_of in ml_value_model).

        Returns
        -------
        tier : array of str, shape (n,)
        rate : array of float, shape (n,)
            Share of the votes that the tier has.
        """
        shares = self.shares(features)
        weights = np.array([x**-0.5 if x > 0 else 0.0 for x in self.usual])
        best = np.argmax(np.round(shares * weights, 9), axis=1)
        rate = np.round(shares[np.arange(len(shares)), best], 10)
        return np.array(TIERS, dtype=object)[best], rate


def scored(forest: Forest, cutoff: str, customers: pd.DataFrame) -> pd.DataFrame:
    """Score one batch of customers; the columns of COLUMNS."""
    tier, rate = forest.tiers(customers[forest.traits].to_numpy(dtype=float))
    return pd.DataFrame(
        {
            "cutoff": cutoff,
            "customer_id": customers["customer_id"],
            "forest_tier": tier,
            "forest_tier_rate": rate,
        }
    )


def asked(forest: Forest, cutoff: str) -> tuple[str, list[str]]:
    """Say who is scored, as a condition, and which columns that takes."""
    return (
        f"cutoff = '{cutoff}' and mean_purchase_amount > 0",
        ["customer_id", *forest.traits],
    )


def score(session, nodes: pd.DataFrame, customers):
    """Score every customer, a batch at a time.

    Parameters
    ----------
    session : DuckDBPyConnection
    nodes : DataFrame
        ml_value_model.
    customers : DuckDBPyRelation
        int_customer_traits.

    Returns
    -------
    DuckDBPyRelation
        The columns of COLUMNS; no rows of a cutoff at which nothing was learned.
    """
    # Put down in a database of its own, beside the transaction of the session, which
    # would keep all of it in memory: DuckDB can lay this one aside on disk.
    reader, writer = session.cursor(), session.cursor()
    writer.execute("attach if not exists ':memory:' as forest_scratch")
    columns = ", ".join(f"{name} {kind}" for name, kind in COLUMNS.items())
    writer.execute(f"create or replace table forest_scratch.tiers ({columns})")
    for learned_at, learned in nodes.groupby("cutoff"):
        forest, cutoff = Forest(learned), ASKED_AT[learned_at]
        condition, wanted = asked(forest, cutoff)
        known = customers.filter(condition).project(", ".join(wanted))
        reader.execute(known.sql_query())
        while len(batch := reader.fetch_df_chunk(BATCH_VECTORS)):
            writer.register("forest_batch", scored(forest, cutoff, batch))
            writer.execute("insert into forest_scratch.tiers from forest_batch")
            writer.unregister("forest_batch")
    reader.close()
    writer.close()
    return session.query("select * from forest_scratch.tiers")


def score_on_spark(session, nodes: pd.DataFrame, customers):
    """Score every customer where the row lies: the forest goes to the executors.

    Parameters
    ----------
    session : SparkSession
    nodes : DataFrame
        ml_value_model.
    customers : pyspark.sql.DataFrame
        int_customer_traits.

    Returns
    -------
    pyspark.sql.DataFrame
        As `score`.
    """
    kinds = {"varchar": "string"}
    columns = ", ".join(f"{name} {kinds.get(x, x)}" for name, x in COLUMNS.items())
    everyone = session.createDataFrame([], columns)
    for learned_at, learned in nodes.groupby("cutoff"):
        forest, cutoff = Forest(learned), ASKED_AT[learned_at]
        condition, wanted = asked(forest, cutoff)

        def batches_scored(batches, forest=forest, cutoff=cutoff):
            for batch in batches:
                yield scored(forest, cutoff, batch)

        known = customers.filter(condition).select(*wanted)
        everyone = everyone.union(known.mapInPandas(batches_scored, columns))
    return everyone


def in_pandas(table) -> pd.DataFrame:
    """Read a table of DuckDB's or Spark's into memory."""
    return table.toPandas() if hasattr(table, "toPandas") else table.df()


def model(dbt, session):
    """Ask the forest at the train cutoff (the sample) and the live one (everyone)."""
    nodes = in_pandas(dbt.ref("ml_value_model"))
    customers = dbt.ref("int_customer_traits")
    if hasattr(customers, "mapInPandas"):
        learned = score_on_spark(session, nodes, customers)
    else:
        learned = score(session, nodes, customers)
    return learned
