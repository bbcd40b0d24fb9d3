"""The dense customer x month spine of the public dbt packages, as one SQL script.

    .venv/bin/python benchmarks/rival_spine.py /tmp/shop

Every customer gets a row for every month from the first purchase to the last month of
the data; orders are joined to it, and window functions say who is new, retained,
reactivated or churned and what a customer has brought so far. It stands against three
of our tables, made of the same orders by the same rules:

- `customer_spine` against fct_customer_months, which has rows for active months only;
- `monthly_movement` against fct_monthly_movement;
- `cohort_retention` against fct_cohort_retention.

Left out, to its advantage: rejected rows, outliers, later corrections of a row,
margins, and movement of money. The tables are written to a DuckDB file under the
settings of our profile. The figures, a JSON line, are of this whole process, from
loading DuckDB on.
"""

import time

START = time.perf_counter()

import argparse  # noqa: E402
import json  # noqa: E402
import tempfile  # noqa: E402
from pathlib import Path  # noqa: E402

import duckdb  # noqa: E402

RATES = Path(__file__).parents[1] / "seeds" / "reference" / "exchange_rates.csv"

CUSTOMER_MONTHS = """
    create temp table customer_months as
    with orders as (
        select distinct on (order_id)
            customer_id,
            cast(ordered_at as date) as order_date,
            (amount - coalesce(refund_amount, 0)) * coalesce(rates.rate, 1) as revenue
        from read_parquet(getvariable('orders'), union_by_name = true) as orders
        left join (
            from read_csv(getvariable('rates')) where reporting_currency = 'EUR'
        ) as rates
            on orders.currency = rates.currency
            and date_trunc('month', orders.ordered_at) = rates.rate_month
        where status = 'completed' and customer_id is not null
    ),

    customer_days as (
        select customer_id, order_date, sum(revenue) as revenue
        from orders
        group by all
    )

    select
        customer_id,
        cast(date_trunc('month', order_date) as date) as month,
        sum(revenue) as revenue,
        bool_or(revenue > 0) as is_active
    from customer_days
    group by all
"""

CUSTOMER_SPINE = """
    create table customer_spine as
    with firsts as (
        select
            customer_id,
            min(month) as cohort_month,
            (select max(month) from customer_months) as last_month
        from customer_months
        where is_active
        group by customer_id
    ),

    spine as (
        select
            customer_id,
            cohort_month,
            cast(unnest(
                generate_series(cohort_month, last_month, interval 1 month)
            ) as date) as month
        from firsts
    ),

    filled as (
        select
            spine.*,
            coalesce(customer_months.revenue, 0) as revenue,
            coalesce(customer_months.is_active, false) as is_active
        from spine
        left join customer_months using (customer_id, month)
    ),

    compared as (
        select
            *,
            coalesce(lag(is_active) over so_far, false) as was_active,
            sum(revenue) over so_far as cumulative_revenue
        from filled
        window so_far as (
            partition by customer_id order by month
            rows between unbounded preceding and current row
        )
    )

    select
        *,
        date_diff('month', cohort_month, month) as months_since_cohort,
        case
            when month = cohort_month then 'new'
            when is_active and was_active then 'retained'
            when is_active then 'reactivated'
            when was_active then 'churned'
            else 'inactive'
        end as movement
    from compared
"""

MONTHLY_MOVEMENT = """
    create table monthly_movement as
    select
        month,
        count(*) filter (movement = 'new') as new_customer_count,
        count(*) filter (movement = 'retained') as retained_customer_count,
        count(*) filter (movement = 'reactivated') as reactivated_customer_count,
        count(*) filter (movement = 'churned') as churned_customer_count,
        count(*) filter (is_active) as active_customer_count,
        sum(revenue) as revenue
    from customer_spine
    group by month
"""

COHORT_RETENTION = """
    create table cohort_retention as
    select
        cohort_month,
        months_since_cohort,
        count(*) as cohort_customer_count,
        count(*) filter (is_active) as active_customer_count,
        avg(cast(is_active as integer)) as retention_rate,
        sum(cumulative_revenue) / count(*) as cumulative_revenue_per_customer
    from customer_spine
    group by cohort_month, months_since_cohort
"""

# of the months that are over, as ours has them
CHECKS = """
    select
        sum(new_customer_count) as new_customers,
        sum(retained_customer_count) as retained_customers,
        sum(reactivated_customer_count) as reactivated_customers,
        sum(churned_customer_count) as churned_customers,
        cast(sum(revenue) as double) as revenue
    from monthly_movement
    where month < (
        select date_trunc('month', max(ordered_at) + interval 1 day)
        from read_parquet(getvariable('orders'), union_by_name = true)
    )
"""


def peak_mib() -> int:
    """Return the most memory this process has held, in MiB (Linux)."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) // 1024
    raise SystemExit("/proc/self/status names no peak of memory: run this on Linux")


def run(shop: Path, memory_limit: str, threads: int | None, folder: Path) -> dict:
    """Build the tables in a new DuckDB file of the folder; say what came out."""
    orders = shop / "orders"
    place = f"{orders}/**/*.parquet" if orders.is_dir() else f"{orders}.parquet"
    warehouse = duckdb.connect(str(folder / "spine.duckdb"))
    warehouse.execute("set preserve_insertion_order = false")
    warehouse.execute(f"set memory_limit = '{memory_limit}'")
    warehouse.execute(f"set temp_directory = '{folder / 'spilled'}'")
    if threads:
        warehouse.execute(f"set threads = {threads}")
    warehouse.execute("set variable orders = ?", [place])
    warehouse.execute("set variable rates = ?", [str(RATES)])
    for statement in (
        CUSTOMER_MONTHS,
        CUSTOMER_SPINE,
        MONTHLY_MOVEMENT,
        COHORT_RETENTION,
    ):
        warehouse.execute(statement)
    rows = {
        table: warehouse.sql(f"select count(*) from {table}").fetchall()[0][0]
        for table in ("customer_spine", "monthly_movement", "cohort_retention")
    }
    checks = warehouse.sql(CHECKS)
    totals = dict(zip(checks.columns, checks.fetchall()[0], strict=True))
    warehouse.close()
    size = (folder / "spine.duckdb").stat().st_size >> 20
    return {"rows": rows, "totals": totals, "file_mib": size}


def main() -> None:
    """Read the command line, run, print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("shop", type=Path, help="a folder of benchmarks/make_shop.py")
    parser.add_argument("--memory-limit", default="4GB")
    parser.add_argument("--threads", type=int)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = run(options.shop, options.memory_limit, options.threads, Path(folder))
    figures = {
        "seconds": round(time.perf_counter() - START, 2),
        "cpu_seconds": round(time.process_time(), 2),
        "peak_rss_mib": peak_mib(),
    }
    print(json.dumps({"what": "rival_spine"} | figures | found))


if __name__ == "__main__":
    main()
