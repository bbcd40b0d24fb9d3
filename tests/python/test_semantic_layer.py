"""The metrics say what the marts say, whatever they are asked by.

``python tests/python/test_semantic_layer.py`` prints the answers in docs/metrics.md
anew, after a build of the demo shop.
"""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest
from conftest import DBT_SETTINGS

REPOSITORY = Path(__file__).parents[2]
HANDBOOK = REPOSITORY / "docs" / "metrics.md"
EXAMPLE = re.compile(
    r"```sh\n(?P<call>\.venv/bin/mf [^`]*)\n```\n```text\n(?P<answer>.*?)```", re.DOTALL
)

# MetricFlow takes seconds to load: one process runs all commands. They are called
# without the group `mf`, which asks PyPI for a newer version each time.
_METRICFLOW = """
import json, sys
from click.testing import CliRunner
from dbt_metricflow.cli.cli_configuration import CLIConfiguration
from dbt_metricflow.cli.main import cli
configuration = CLIConfiguration()
configuration.setup()
answers = []
for name, *arguments in json.load(sys.stdin):
    run = CliRunner().invoke(cli.commands[name], arguments, obj=configuration)
    answers.append([run.exit_code, run.output])
with open(sys.argv[1], "w") as answered:
    json.dump(answers, answered)
"""


def metricflow(
    commands: list[list[str]], project: Path, warehouse: Path
) -> list[tuple[int, str]]:
    """Exit code and output of MetricFlow's commands, in a folder with dbt's target."""
    answers = project / "target" / "metricflow_answers.json"
    subprocess.run(
        [sys.executable, "-c", _METRICFLOW, str(answers)],
        input=json.dumps(commands),
        text=True,
        cwd=project,
        env={
            **{
                name: x
                for name, x in os.environ.items()
                if name[:4] not in DBT_SETTINGS
            },
            "CLV_WAREHOUSE": str(warehouse),
            "DBT_SEND_ANONYMOUS_USAGE_STATS": "0",
        },
        check=True,
        capture_output=True,
    )
    return json.loads(answers.read_text())


@dataclass(frozen=True)
class Check:
    """A question to the metrics, and the same in SQL to the marts."""

    metrics: str
    group_by: str
    sql: str
    where: str | None = None

    def command(self) -> list[str]:
        """MetricFlow's command that prints its SQL."""
        where = ["--where", self.where] if self.where else []
        return [
            *("query", "--quiet", "--explain", "--metrics", self.metrics),
            *("--group-by", self.group_by, *where),
        ]


# What is known of customers, by a column of dim_customers or fct_customer_segments:
# orders, months and people are counted one by one, so that no join can multiply them.
BY_CUSTOMER = """
with customers as (
    select
        dim.customer_id, dim.country, dim.cohort_month, dim.first_purchase_date,
        segments.* exclude (customer_id, country, cohort_month)
    from dim_customers as dim
    inner join fct_customer_segments as segments using (customer_id)
),
groups as (select customers.{column} as key from customers union select null),
ordered as (
    select
        customers.{column} as key,
        sum(revenue_amount) as revenue,
        sum(fct_orders.margin_amount) as margin,
        count(*) filter (
            where order_state = 'completed' and order_amount >= 0
        ) as orders
    from fct_orders left join customers using (customer_id) group by key
),
active as (
    select customers.{column} as key, count(distinct customer_id) as active_customers
    from fct_customer_months inner join customers using (customer_id)
    where is_active and activity_month < (
        select min(calendar_month) from (
            select calendar_month from fct_monthly_movement where not is_mature
            union all select date '9999-01-01'
        )
    )
    group by key
),
known as (
    select
        customers.{column} as key,
        count(*) as customers,
        count(first_purchase_date) as new_customers,
        avg(case when churn_state != 'churned' then churn_probability_rate end)
            as churn_risk,
        count(*) filter (where is_retained) / nullif(count(is_retained), 0)
            as retained_rate,
        100 * (
            count(*) filter (where latest_score >= 9)
            - count(*) filter (where latest_score <= 6)
        ) / nullif(count(latest_score), 0) as net_promoter_score
    from customers group by key
),
worth as (
    select
        customers.{column} as key,
        sum(values_.lifetime_value_amount) as lifetime_value,
        avg(values_.lifetime_value_amount) as mean_lifetime_value,
        sum(values_.residual_value_amount) as residual_value,
        sum(greatest(values_.lifetime_value_amount, 0)) / (
            select sum(greatest(lifetime_value_amount, 0)) from fct_customer_value
        ) as share_of_value,
        sum(case when cac_amount > 0 then values_.lifetime_value_amount end)
        / sum(case when values_.lifetime_value_amount is not null then cac_amount end)
            as ltv_to_cac
    from fct_customer_value as values_ inner join customers using (customer_id)
    group by key
)
select
    groups.key as "{name}", revenue, margin, orders,
    revenue / nullif(orders, 0) as average_order_value, active_customers, customers,
    new_customers, churn_risk, retained_rate, net_promoter_score, lifetime_value,
    mean_lifetime_value, residual_value, share_of_value, ltv_to_cac
from groups
left join ordered on groups.key is not distinct from ordered.key
left join active on groups.key is not distinct from active.key
left join known on groups.key is not distinct from known.key
left join worth on groups.key is not distinct from worth.key
where coalesce(orders, active_customers, customers) is not null
"""
OF_CUSTOMERS = (
    "revenue,margin,orders,average_order_value,active_customers,customers,new_customers,"
    "churn_risk,retained_rate,net_promoter_score,lifetime_value,mean_lifetime_value,"
    "residual_value,share_of_value,ltv_to_cac"
)


def by_customer(column: str, name: str | None = None) -> Check:
    """What is known of customers by an attribute of theirs."""
    name = name or f"customer__{column}"
    return Check(OF_CUSTOMERS, name, BY_CUSTOMER.format(column=column, name=name))


CHECKS = {
    # the marts' own rates, month by month
    "month": Check(
        "revenue,margin,orders,average_order_value,new_customers,active_customers,"
        "retained_customers,reactivated_customers,churned_customers,"
        "monthly_retention_rate,monthly_churn_rate,lost_customers,churn_rate,"
        "customers_at_end,marketing_spend,cac,paid_cac",
        "metric_time__month",
        """
        with ordered as (
            select
                order_month as calendar_month,
                sum(revenue_amount) as revenue,
                sum(margin_amount) as margin,
                count(*) filter (
                    where order_state = 'completed' and order_amount >= 0
                ) as orders
            from fct_orders group by order_month
        ),
        churn as (
            select
                calendar_month,
                sum(case when is_mature then churned_count end) as lost_customers,
                sum(churn_rate * customers_at_start_count) / sum(
                    case when churn_rate is not null then customers_at_start_count end
                ) as churn_rate,
                sum(customers_at_end_count) as customers_at_end
            from fct_churn_months group by calendar_month
        )
        select
            calendar_month as metric_time__month,
            revenue, margin, orders, revenue / orders as average_order_value,
            acquired.new_customer_count as new_customers,
            active_customer_count as active_customers,
            retained_customer_count as retained_customers,
            reactivated_customer_count as reactivated_customers,
            churned_customer_count as churned_customers,
            monthly_retention_rate, monthly_churn_rate, lost_customers, churn_rate,
            customers_at_end, spend_amount as marketing_spend,
            blended_cac_amount as cac, paid_cac_amount as paid_cac
        from fct_acquisition_months as acquired
        left join ordered using (calendar_month)
        left join fct_monthly_movement using (calendar_month)
        left join churn using (calendar_month)
        """,
    ),
    # a day without orders is a row, and empty
    "day": Check(
        "revenue,margin,orders,new_customers",
        "metric_time__day",
        """
        with days as (
            select unnest(generate_series(
                date_trunc('month', first_order_date), cutoff_date, interval 1 day
            ))::date as metric_time__day
            from intermediate.int_cutoff_dates where cutoff = 'live'
        )
        select
            metric_time__day,
            sum(revenue_amount) as revenue,
            sum(margin_amount) as margin,
            case when count(order_id) > 0 then count(*) filter (
                where order_state = 'completed' and order_amount >= 0
            ) end as orders,
            (select nullif(count(*), 0) from dim_customers
             where first_purchase_date = metric_time__day) as new_customers
        from days left join fct_orders on order_date = metric_time__day
        group by metric_time__day
        """,
    ),
    # over several months: people once, rates by their weights, stocks at the end
    "quarter": Check(
        "active_customers,retained_customers,monthly_retention_rate,"
        "monthly_churn_rate,churn_rate,customers_at_end,cac",
        "metric_time__quarter",
        """
        with months as (
            select *, date_trunc('quarter', calendar_month)::date as quarter
            from fct_monthly_movement where is_mature
        )
        select
            quarter as metric_time__quarter,
            (select count(distinct customer_id) from fct_customer_months
             where is_active and activity_month in (
                 select calendar_month from months as own where own.quarter = m.quarter
             )) as active_customers,
            sum(retained_customer_count) as retained_customers,
            sum(retained_customer_count)
            / nullif(sum(previous_active_customer_count), 0) as monthly_retention_rate,
            sum(churned_customer_count)
            / nullif(sum(previous_active_customer_count), 0) as monthly_churn_rate,
            (select sum(churned_from_start_count) / sum(customers_at_start_count)
             from fct_churn_months where churn_rate is not null
             and date_trunc('quarter', calendar_month) = m.quarter) as churn_rate,
            (select sum(customers_at_end_count) from fct_churn_months
             where calendar_month = (
                 select max(calendar_month) from fct_churn_months
                 where date_trunc('quarter', calendar_month) = m.quarter
             )) as customers_at_end,
            (select sum(spend_amount) / sum(new_customer_count)
             from fct_acquisition_months
             where date_trunc('quarter', calendar_month) = m.quarter) as cac
        from months as m group by quarter
        """,
    ),
    "channel": Check(
        "marketing_spend,new_customers,cac,payback_months,paid_back_rate,"
        "ltv_to_cac_12_months,repeat_rate_90_days,net_promoter_score,lifetime_value,"
        "ltv_to_cac",
        "channel",
        """
        with spent as (
            select
                channel, sum(spend_amount) as marketing_spend,
                sum(new_customer_count) as new_customers
            from fct_channel_months group by channel
        ),
        -- from money, not from the ratios that the metric is made of
        earned as (
            select
                channel, cohort_month, max(spend_amount) as spend,
                sum(payback.margin_amount) as margin
            from fct_cohort_payback as payback
            inner join fct_channel_months as months
                using (channel)
            where months.calendar_month = cohort_month and months_since_cohort < 12
            group by channel, cohort_month
            having count(*) filter (where payback.is_mature) = 12
            and max(months.cac_amount) > 0
        ),
        cohorts as (
            select
                channel, median(payback_months) as payback_months,
                sum(customer_count) filter (where payback_months is not null)
                / sum(customer_count) filter (
                    where cac_amount > 0 and months_observed > 0
                ) as paid_back_rate
            from fct_cohort_ltv_to_cac group by channel
        ),
        worth as (
            select
                acquisition_channel as channel,
                sum(lifetime_value_amount) as lifetime_value,
                sum(case when cac_amount > 0 then lifetime_value_amount end)
                / sum(cac_amount) as ltv_to_cac
            from fct_customer_value group by channel
        )
        select
            channel, marketing_spend,
            case when channel in (select acquisition_channel from dim_customers)
                then new_customers end as new_customers,
            case when marketing_spend > 0
                then marketing_spend / nullif(new_customers, 0) end as cac,
            payback_months, paid_back_rate,
            (select sum(margin) / sum(spend) from earned
             where earned.channel = spent.channel) as ltv_to_cac_12_months,
            (select sum(second_purchase_90_days_count)
             / sum(second_purchase_90_days_eligible_count) from fct_activation
             where fct_activation.channel = spent.channel) as repeat_rate_90_days,
            (select avg(
                case when latest_score >= 9 then 100 when latest_score <= 6 then -100
                when latest_score is not null then 0 end
             ) from fct_customer_segments
             where acquisition_channel = spent.channel) as net_promoter_score,
            lifetime_value, ltv_to_cac
        from spent
        left join cohorts using (channel)
        left join worth using (channel)
        """,
    ),
    "country": by_customer("country"),
    "tier": by_customer("value_tier"),
    "stage": by_customer("stage"),
    "segment": by_customer("rfm_segment"),
    "cohort": by_customer("cohort_month", "customer__cohort_month__month"),
    "cohort cells": Check(
        "cohort_retention_rate",
        "metric_time__month,cohort_cell__months_since_cohort",
        """
        select
            cohort_month as metric_time__month,
            months_since_cohort as cohort_cell__months_since_cohort,
            retention_rate as cohort_retention_rate
        from fct_cohort_retention
        """,
    ),
    "cohort ages": Check(
        "cohort_retention_rate",
        "cohort_cell__months_since_cohort",
        """
        select
            months_since_cohort as cohort_cell__months_since_cohort,
            sum(retention_rate * cohort_customer_count)
            / sum(case when is_mature then cohort_customer_count end)
                as cohort_retention_rate
        from fct_cohort_retention group by months_since_cohort
        """,
    ),
    "stages at the end of a year": Check(
        "stage_customers",
        "metric_time__year,stage_month__stage",
        """
        select
            date_trunc('year', calendar_month)::date as metric_time__year,
            stage as stage_month__stage,
            arg_max(stage_end_count, calendar_month) as stage_customers
        from fct_lifecycle_months where is_mature group by all
        """,
    ),
    "segments that are shown": Check(
        "churn_risk,retained_rate,net_promoter_score,mean_lifetime_value",
        "customer__country",
        """
        select
            segment as customer__country, churn_risk_rate as churn_risk, retained_rate,
            nps_points as net_promoter_score,
            mean_lifetime_value_amount as mean_lifetime_value
        from fct_segments
        where segment_type = 'country' and segment in ('DE', 'FR', 'NL')
        """,
        "{{ Dimension('customer__country') }} in ('DE', 'FR', 'NL')",
    ),
    "experiments": Check(
        "experiment_uplift",
        "experiment_result__experiment_id,experiment_result__arm",
        """
        select
            experiment_id as experiment_result__experiment_id,
            arm as experiment_result__arm, absolute_uplift as experiment_uplift
        from fct_experiment_results
        where measure = 'conversion' and slice_type = 'all'
        """,
    ),
    "strategies": Check(
        "contacted_customers,contact_cost,expected_profit",
        "customer__strategy_id",
        """
        select
            strategy_id as customer__strategy_id,
            count(*) filter (where is_contacted) as contacted_customers,
            sum(contact_cost_amount) as contact_cost,
            sum(expected_profit_amount) as expected_profit
        from fct_audience_members group by strategy_id
        """,
    ),
}

# The demo shop ends with a month. What the marts say of a last month that is open:
OPEN_MONTH = """
update fct_monthly_movement set is_mature = false, new_customer_count = null,
    reactivated_customer_count = null, churned_customer_count = null,
    retained_customer_count = null, active_customer_count = null,
    monthly_retention_rate = null, monthly_churn_rate = null
    where calendar_month = (select max(calendar_month) from fct_monthly_movement);
update fct_churn_months set is_mature = false, churn_rate = null
    where calendar_month = (select max(calendar_month) from fct_churn_months);
update fct_lifecycle_months set is_mature = false, stage_end_count = null
    where calendar_month = (select max(calendar_month) from fct_lifecycle_months);
update fct_cohort_retention set is_mature = false, retention_rate = null,
    active_customer_count = null
    where calendar_month = (select max(calendar_month) from fct_cohort_retention);
"""


def handbook_commands() -> list[str]:
    """All commands of the handbook."""
    return re.findall(r"^\.venv/bin/mf .+", HANDBOOK.read_text(), re.MULTILINE)


def examples() -> list[re.Match[str]]:
    """The commands of the handbook, with the answers printed below them."""
    return list(EXAMPLE.finditer(HANDBOOK.read_text()))


def words(command: str) -> list[str]:
    """A command as MetricFlow gets it; a query without the line of how long it took."""
    _, name, *arguments = shlex.split(command, comments=True)
    return [name, *(["--quiet"] if name == "query" else []), *arguments]


@dataclass
class Layer:
    """The semantic layer on the demo shop."""

    manifest: dict
    answers: dict[str, tuple[int, str]]
    warehouses: dict[str, Path]


@pytest.fixture(scope="module")
def layer(demo, workbench, tmp_path_factory) -> Layer:
    """All that MetricFlow says, and warehouses with a closed and an open last month."""
    project = tmp_path_factory.mktemp("metricflow")
    parsed = type(demo)(project / "none.duckdb", workbench)
    result = parsed.dbt("parse")
    assert result.succeeded, result.output
    # MetricFlow reads these, in the folder it is started in
    for name in ("dbt_project.yml", "profiles.yml"):
        shutil.copy(REPOSITORY / name, project)
    for name in ("engines", "scripts"):  # the profile's plugins
        (project / name).symlink_to(REPOSITORY / name)
    (project / "target").symlink_to(parsed.target())
    # copies, for debug opens its warehouse to write; SQL names the file dbt parsed for
    warehouses = {}
    for last_month in ("closed", "open"):
        (project / last_month).mkdir()
        warehouses[last_month] = project / last_month / "warehouse.duckdb"
        shutil.copy(demo.path, warehouses[last_month])
    with duckdb.connect(str(warehouses["open"])) as database:
        database.execute(OPEN_MONTH)
    manifest = json.loads((parsed.target() / "semantic_manifest.json").read_text())
    commands = {
        "validate": ["validate-configs", "--show-all"],
        **{name: check.command() for name, check in CHECKS.items()},
        **{
            query["name"]: ["query", "--quiet", "--saved-query", query["name"]]
            for query in manifest["saved_queries"]
        },
        **{command: words(command) for command in handbook_commands()},
    }
    answers = metricflow([*commands.values()], project, warehouses["closed"])
    return Layer(manifest, dict(zip(commands, answers, strict=True)), warehouses)


def is_same(one: str | float | None, other: str | float | None) -> bool:
    """Whether two values are equal; marts round money to a hundredth of a cent."""
    if isinstance(one, float) and isinstance(other, float):
        return abs(one - other) <= (0.0001 if abs(other) >= 1 else 1e-9)
    return one == other


def rows(
    database: duckdb.DuckDBPyConnection, sql: str, keys: str
) -> list[dict[str, str | float | None]]:
    """All rows of a query, in the order of their keys; keys as text."""
    result = database.execute(sql)
    names = [column[0] for column in result.description]
    found = [dict(zip(names, row, strict=True)) for row in result.fetchall()]
    for row in found:
        for name, value in row.items():
            if value is not None and name in keys.split(","):
                # a month is a day for marts, a moment for MetricFlow
                row[name] = str(value).removesuffix(" 00:00:00")
            elif value is not None:
                row[name] = float(value)
    return sorted(found, key=lambda row: [str(row[key]) for key in keys.split(",")])


def test_metricflow_finds_no_fault(layer: Layer):
    code, faults = layer.answers["validate"]
    assert (code, faults) == (0, "")


@pytest.mark.parametrize("last_month", ["closed", "open"])
@pytest.mark.parametrize("name", CHECKS)
def test_metrics_say_what_the_marts_say(layer: Layer, name: str, last_month: str):
    code, sql = layer.answers[name]
    assert code == 0, sql
    check = CHECKS[name]
    with duckdb.connect(str(layer.warehouses[last_month]), read_only=True) as database:
        asked = rows(database, sql, check.group_by)
        known = rows(database, check.sql, check.group_by)
    assert len(known) > 1
    assert len(asked) == len(known)
    for answer, truth in zip(asked, known, strict=True):
        assert answer.keys() == truth.keys()
        for column, value in truth.items():
            assert is_same(answer[column], value), (column, answer, truth)


def test_every_metric_is_compared_with_a_mart(layer: Layer):
    """Except those that are only a part of one that is."""
    checked = {x for check in CHECKS.values() for x in check.metrics.split(",")}
    parts = {
        part["name"]
        for metric in layer.manifest["metrics"]
        for part in [
            metric["type_params"]["numerator"],
            metric["type_params"]["denominator"],
            *(metric["type_params"]["metrics"] or []),
        ]
        if part
    }
    assert all(metric["description"] for metric in layer.manifest["metrics"])
    names = {metric["name"] for metric in layer.manifest["metrics"]}
    assert checked <= names
    assert names - checked <= parts
    described = set(re.findall(r"^\| `(\w+)` \|", HANDBOOK.read_text(), re.MULTILINE))
    assert described == checked


def test_every_saved_query_gives_an_answer(layer: Layer):
    assert len(layer.manifest["saved_queries"]) == 7
    for query in layer.manifest["saved_queries"]:
        code, answer = layer.answers[query["name"]]
        assert code == 0, answer
        assert answer.count("\n") > 4, answer


def test_the_answers_of_the_handbook_are_those_of_the_demo_shop(layer: Layer):
    assert len(handbook_commands()) == 7
    for command in handbook_commands():
        code, answer = layer.answers[command]
        assert code == 0, answer
    assert len(examples()) == 5
    for example in examples():
        _, answer = layer.answers[example["call"]]
        assert trimmed(answer) == example["answer"], example["call"]


def trimmed(answer: str) -> str:
    """An answer without blanks at the ends of its lines."""
    return "".join(line.rstrip() + "\n" for line in answer.rstrip().splitlines())


def update() -> None:
    """Print the answers of the warehouse that was built last into the handbook."""
    warehouse = os.environ.get(
        "CLV_WAREHOUSE", REPOSITORY / "warehouse/customer_lifetime.duckdb"
    )
    commands = [words(example["call"]) for example in examples()]
    found = metricflow(commands, REPOSITORY, Path(warehouse).absolute())
    if failures := [said for code, said in found if code != 0]:
        sys.exit(failures[0])
    answers = (trimmed(said) for _, said in found)
    HANDBOOK.write_text(
        EXAMPLE.sub(
            lambda x: f"```sh\n{x['call']}\n```\n```text\n{next(answers)}```",
            HANDBOOK.read_text(),
        )
    )


if __name__ == "__main__":
    update()
