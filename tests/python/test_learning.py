"""What all Python models have in common."""

import ast
import csv
import re
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from conftest import REPOSITORY, python_model

MODELS = sorted(path.stem for path in (REPOSITORY / "python_models").glob("ml_*.py"))
# they import numpy and pandas only, and limit no threads
LIGHT = {"ml_purchase_draws", "ml_value_forest_tiers"}
LEARNERS = [name for name in MODELS if name not in LIGHT]
SLOW_TO_IMPORT = ("scipy", "sklearn", "lifelines", "statsmodels")


def tree_of(name: str) -> ast.Module:
    return ast.parse((REPOSITORY / "python_models" / f"{name}.py").read_text())


@pytest.mark.parametrize("name", sorted(LIGHT))
def test_models_without_a_lock_need_none(name):
    source = (REPOSITORY / "python_models" / f"{name}.py").read_text()
    assert "threadpool_limits" not in source
    assert not any(library in source for library in SLOW_TO_IMPORT)


@pytest.mark.parametrize("name", LEARNERS)
def test_nothing_slow_is_imported_outside_of_the_lock_or_a_function(name):
    for node in tree_of(name).body:
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            assert not ast.unparse(node).split()[1].startswith(SLOW_TO_IMPORT)


def traits_of(macro: str) -> list[str]:
    """The list that a macro of traits returns."""
    path = REPOSITORY / "macros" / "statistics" / f"{macro}.sql"
    return re.findall(r"'(\w+)'", path.read_text())


def test_a_new_trait_is_learned_from_and_has_words():
    """Who adds one to the macros is told where else it belongs."""
    churn = python_model("ml_churn_model")
    numbers, texts = traits_of("numeric_traits"), traits_of("text_traits")
    assert {*churn.TRAITS, *churn.CONTRACT_TRAITS} == set(numbers)
    assert {*churn.TEXT_TRAITS, *churn.CONTRACT_TEXT_TRAITS} == set(texts)
    with (REPOSITORY / "seeds" / "reference" / "trait_words.csv").open() as file:
        words = {row["trait"]: row for row in csv.DictReader(file)}
    assert set(words) == {*numbers, *texts}
    assert all(words[trait]["above_words"] for trait in numbers)
    assert not any(words[trait]["above_words"] for trait in texts)


def test_models_that_dbt_runs_side_by_side_learn_one_after_the_other():
    """The second of two models waits until the first has ended."""
    churn, clusters = (
        python_model("ml_churn_model"),
        python_model("ml_customer_clusters"),
    )
    learning, most = [], []

    class Given:
        """What dbt hands to a model."""

        def ref(self, name):
            return self

        def df(self):
            return None

        config = type("", (), {"meta_get": staticmethod(lambda name: 1)})

    def learn(*_):
        learning.append(1)
        most.append(len(learning))
        time.sleep(0.2)
        learning.pop()

    for module in (churn, clusters):
        module.learn = learn
    threads = [
        threading.Thread(target=module.model, args=(Given(), None))
        for module in (churn, clusters)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1, 1]


def test_every_learner_has_the_same_lock():
    locks = {id(python_model(name).LEARNING) for name in LEARNERS}
    assert len(locks) == 1


def test_libraries_are_imported_by_two_models_at_once(tmp_path: Path):
    """In a fresh process, as dbt does: neither locks the other out."""
    script = """
import sys, threading
sys.path.insert(0, sys.argv[1])
import numpy as np, pandas as pd
import ml_churn_model, ml_customer_clusters, ml_value_model
random = np.random.default_rng(1)
known = {"customer_id": [f"c{n}" for n in range(400)]} | {
    trait: random.gamma(2.0, 3.0, 400)
    for trait in (*ml_churn_model.TRAITS, *ml_churn_model.CONTRACT_TRAITS)
}
known = pd.DataFrame(known).assign(
    cutoff="train", relationship="noncontractual", acquisition_channel="a",
    plan="none", payment_method="none", has_left=random.random(400) < 0.5,
)
rules = known[["cutoff", "customer_id", *ml_churn_model.TRAITS]].assign(
    margin_amount=random.gamma(2.0, 3.0, 400),
    actual_tier=random.choice(["low", "medium", "high"], 400),
)
failed = []
def run(module, table, *more):
    class Given:
        def ref(self, name): return self
        def df(self): return table
        config = type("", (), {"meta_get": staticmethod(lambda name: 10)})
    try:
        assert len(module.model(Given(), None))
    except BaseException as error:
        failed.append(repr(error))
threads = [
    threading.Thread(target=run, args=(ml_churn_model, known)),
    threading.Thread(target=run, args=(ml_customer_clusters, known)),
    threading.Thread(target=run, args=(ml_value_model, rules)),
]
for thread in threads: thread.start()
for thread in threads: thread.join()
sys.exit("; ".join(failed) or 0)
"""
    run = subprocess.run(
        [sys.executable, "-c", script, str(REPOSITORY / "python_models")],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
