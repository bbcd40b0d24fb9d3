"""Make a shop of any size as Parquet: every input table of the contract.

    .venv/bin/python benchmarks/make_shop.py --customers 1000000 --output /tmp/shop

Customers come evenly over four years, buy and leave as Pareto/NBD has it (r 1, s 0.7),
about 9.5 orders each. Order lines, touchpoints, events, surveys, contracts and
experiments follow from them. DuckDB works all of it out from hashes of (seed, customer,
number): the same seed and size give the same rows on every machine.

Orders, the one table that grows without end, are written as a folder of parts, one a
month and one for the last day alone: a shop of yesterday is the same folder without
`orders/last_day.parquet`.
"""

import argparse
import time
from pathlib import Path

import duckdb

FIRST_DAY = "2022-01-01"
DAYS = 1461
CHANNELS = "['paid_search', 'paid_social', 'affiliate', 'email', 'organic', 'referral']"
PRODUCTS = 1000

# Pareto/NBD: P(n purchases in t) is geometric with r 1, lifetimes are Lomax
ALPHA_DAYS = 35.0
S = 0.7
BETA_DAYS = 120.0


def uniform(*keys: str) -> str:
    """Write SQL of a number in (0, 1) that depends on the keys and the seed alone."""
    return f"((hash({', '.join(keys)}, getvariable('seed')) >> 12) + 0.5) / pow(2, 52)"


def price(product: str) -> str:
    """Write SQL of a product's price, from 2.90 to 101.90."""
    return f"cast(2.9 + ({product} * 37 % {PRODUCTS}) // 10 as decimal(18, 4))"


def chosen_product(*keys: str) -> str:
    """Write SQL of a product's number: few are bought often, most seldom."""
    return f"cast(floor({PRODUCTS} * pow({uniform(*keys)}, 2.5)) as integer)"


CUSTOMERS = f"""
    with drawn as (
        select
            range as customer,
            floor({DAYS} * {uniform("range", "1")}) as first_age,
            {uniform("range", "2")} as u_life,
            {uniform("range", "3")} as u_count,
            exp(0.5 * sqrt(-2 * ln({uniform("range", "4")}))
                * cos(2 * pi() * {uniform("range", "5")})) as taste
        from range(getvariable('customers'))
    ),

    lived as (
        select
            *,
            least(
                {DAYS} - first_age - 0.001,
                {BETA_DAYS} * (pow(u_life, -1 / {S}) - 1)
            ) as life
        from drawn
    )

    select
        cast(customer as integer) as customer,
        cast(first_age as integer) as first_age,
        life,
        taste,
        cast(1 + least(2000, floor(ln(u_count) / ln(life / ({ALPHA_DAYS} + life))))
            as integer) as orders,
        cast(1 + floor(6 * {uniform("customer", "6")}) as integer) as channel
    from lived
"""

# each order with up to three lines; the first of a customer opens his account
ORDERS = f"""
    with numbered as (
        select
            customer,
            taste,
            channel,
            unnest(range(orders)) as number,
            first_age,
            life
        from shoppers
    ),

    timed as (
        select
            customer,
            taste,
            number,
            timestamp '{FIRST_DAY}' + to_seconds(cast(86400 * (
                first_age + if(number = 0, {uniform("customer", "7")} / 1000,
                    life * {uniform("customer", "number", "8")})
            ) as bigint)) as ordered_at,
            if({uniform("customer", "number", "9")} < 0.03,
                null, customer) as known_customer,
            {uniform("customer", "number", "10")} as u_lines,
            {uniform("customer", "number", "11")} as u_status,
            {uniform("customer", "number", "12")} as u_money
        from numbered
    )

    select
        cast(row_number() over (order by ordered_at, customer, number) as integer)
            as order_number,
        known_customer as customer,
        ordered_at,
        cast(case when u_lines < 0.72 then 1 when u_lines < 0.95 then 2 else 3 end
            as tinyint) as lines,
        cast(1 + floor(2 * taste * u_money) as tinyint) as quantity,
        u_status,
        u_money
    from timed
    order by ordered_at
"""


def line_product(line: int) -> str:
    """Write SQL of the product on a line of an order."""
    return chosen_product("order_number", f"{20 + line}")


def write_orders(shop: duckdb.DuckDBPyConnection, folder: Path) -> None:
    """Write the orders, by month, with a few in another currency, refunds, doubles."""
    amount = " + ".join(
        f"if(lines >= {line}, {price(line_product(line))}, 0)" for line in (1, 2, 3)
    )
    shop.execute(f"""
        create view orders as
        with priced as (
            select *, quantity * ({amount}) as goods, u_status < 0.02 as is_cancelled
            from ordered
        )
        select
            'O' || lpad(cast(order_number as varchar), 9, '0') as order_id,
            'C' || lpad(cast(customer as varchar), 8, '0') as customer_id,
            ordered_at,
            cast(goods * if(u_money < 0.2, 0.9, 1) as decimal(18, 4)) as amount,
            case
                when is_cancelled then 'cancelled'
                when u_status < 0.03 then 'pending'
                else 'completed'
            end as status,
            cast(goods * if(u_money < 0.2, 0.1, 0) as decimal(18, 4))
                as discount_amount,
            cast(if(u_status > 0.97, goods * 0.5, 0) as decimal(18, 4))
                as refund_amount,
            cast(goods * 0.55 as decimal(18, 4)) as cost_amount,
            if(u_money > 0.95, 'GBP', 'EUR') as currency,
            case when u_money < 0.5 then 'web' when u_money < 0.8 then 'app'
                else 'store' end as sales_channel,
            ordered_at + to_hours(cast(48 * u_money as integer)) as updated_at,
            u_money
        from priced
    """)
    parts = folder / "orders"
    parts.mkdir()
    months = shop.sql(
        "select distinct date_trunc('month', ordered_at) from ordered order by 1"
    ).fetchall()
    last_day = shop.sql("select max(cast(ordered_at as date)) from ordered").fetchall()
    for (month,) in months:
        for name, bounds in (
            (f"{month:%Y-%m}", f"ordered_at < least(date '{last_day[0][0]}', "),
            ("last_day", f"ordered_at >= greatest(date '{last_day[0][0]}', "),
        ):
            if name == "last_day" and month != months[-1][0]:
                continue
            # one row in two thousand was sent twice
            shop.execute(f"""
                copy (
                    select * exclude (u_money, copy)
                    from orders, lateral (select unnest(range(
                        if(u_money between 0.5 and 0.5005, 2, 1))) as copy)
                    where ordered_at >= timestamp '{month}' and {bounds}
                        timestamp '{month}' + interval 1 month)
                ) to '{parts / name}.parquet'
            """)


OTHERS = {
    "customers": f"""
        select
            'C' || lpad(cast(customer as varchar), 8, '0') as customer_id,
            timestamp '{FIRST_DAY}' + to_days(first_age) as created_at,
            'Customer ' || customer as name,
            'c' || customer || '@example.com' as email,
            ['DE', 'AT', 'CH', 'GB', 'FR'][1 + customer % 5] as country,
            'R' || (customer // 5 % 16) as region,
            'T' || (customer // 7 % 400) as city,
            date '1950-01-01' + cast(20000 * {uniform("customer", "30")} as integer)
                as birth_date,
            ['female', 'male', null][1 + customer % 3] as gender,
            ['low', 'medium', 'high'][1 + customer // 3 % 3] as income_band,
            ['urban', 'outdoor', 'family'][1 + customer // 11 % 3] as lifestyle,
            ['tea', 'coffee', 'mugs', 'tea;coffee'][1 + customer // 13 % 4]
                as interests,
            {CHANNELS}[channel] as acquisition_channel,
            {uniform("customer", "31")} < 0.7 as has_marketing_consent
        from shoppers
    """,
    "order_items": f"""
        with lines_numbered as (
            select *, unnest(range(1, lines + 1)) as line_number from ordered
        ),
        chosen as (
            select
                *,
                case line_number
                    when 1 then {line_product(1)}
                    when 2 then {line_product(2)}
                    else {line_product(3)}
                end as product
            from lines_numbered
        )
        select
            'O' || lpad(cast(order_number as varchar), 9, '0') as order_id,
            cast(line_number as integer) as line_number,
            'P' || lpad(cast(product as varchar), 4, '0') as product_id,
            cast(quantity as decimal(18, 4)) as quantity,
            {price("product")} as unit_price
        from chosen
    """,
    "products": f"""
        select
            'P' || lpad(cast(range as varchar), 4, '0') as product_id,
            'Product ' || range as product_name,
            'category ' || range % 20 as category,
            cast({price("range")} * 0.55 as decimal(18, 4)) as unit_cost
        from range({PRODUCTS})
    """,
    "marketing_spend": f"""
        select
            date '{FIRST_DAY}' + cast(day as integer) as spend_date,
            {CHANNELS}[channel] as channel,
            'always_on' as campaign,
            cast(
                getvariable('customers') * (0.002 + 0.004 * {uniform("day", "channel")})
                as decimal(18, 4)
            ) as amount
        from
            (select unnest(range({DAYS})) as day),
            (select unnest(range(1, 5)) as channel)
    """,
    # the contact that brought the customer, then two more on average
    "touchpoints": f"""
        with numbered as (
            select
                customer,
                channel,
                first_age,
                unnest(range(1 + cast(4 * {uniform("customer", "40")} as integer)))
                    as number
            from shoppers
        )
        select
            'T' || lpad(cast(customer as varchar), 8, '0') || '-' || number
                as touchpoint_id,
            'C' || lpad(cast(customer as varchar), 8, '0') as customer_id,
            timestamp '{FIRST_DAY}' + to_seconds(cast(86400 * if(number = 0,
                first_age - 5 * {uniform("customer", "41")},
                least({DAYS} - 0.01,
                    first_age + 300 * {uniform("customer", "number", "42")})
            ) as bigint)) as touched_at,
            {CHANNELS}[if(number = 0, channel, 4)] as channel,
            if(number = 0, 'always_on', 'newsletter') as campaign,
            if({uniform("customer", "number", "43")} < 0.6, 'view', 'click')
                as touch_type
        from numbered
    """,
    "events": f"""
        with numbered as (
            select
                customer,
                first_age,
                life,
                unnest(range(cast(8 * {uniform("customer", "50")} as integer)))
                    as number
            from shoppers
        )
        select
            'C' || lpad(cast(customer as varchar), 8, '0') as customer_id,
            timestamp '{FIRST_DAY}' + to_seconds(cast(86400 * (
                first_age + life * {uniform("customer", "number", "51")}
            ) as bigint)) as occurred_at,
            ['visit', 'app_open', 'wishlist'][1 + number % 3] as event_type
        from numbered
    """,
    "surveys": f"""
        select
            'C' || lpad(cast(customer as varchar), 8, '0') as customer_id,
            timestamp '{FIRST_DAY}' + to_seconds(cast(86400 * (
                first_age + life * {uniform("customer", "60")}) as bigint))
                as responded_at,
            cast(floor(11 * sqrt({uniform("customer", "61")})) as integer) as score
        from shoppers
        where {uniform("customer", "62")} < 0.2
    """,
    "subscriptions": f"""
        select
            'S' || lpad(cast(customer as varchar), 8, '0') as subscription_id,
            'C' || lpad(cast(customer as varchar), 8, '0') as customer_id,
            date '{FIRST_DAY}' + first_age as started_at,
            if(first_age + life < {DAYS} - 30,
                date '{FIRST_DAY}' + cast(first_age + life + 15 as integer), null)
                as ended_at,
            cast(if(customer % 2 = 0, 12, 19) as decimal(18, 4)) as monthly_amount,
            if(customer % 2 = 0, 'small', 'medium') as plan,
            if({uniform("customer", "70")} < 0.5, 1, 12) as term_months
        from shoppers
        where {uniform("customer", "71")} < 0.05
    """,
    "experiments": f"""
        select
            'winback_2025' as experiment_id,
            'C' || lpad(cast(customer as varchar), 8, '0') as customer_id,
            if({uniform("customer", "80")} < 0.5, 'control', 'winback_email') as arm,
            timestamp '2025-06-01 08:00:00' as assigned_at,
            cast(0.15 as decimal(18, 4)) as cost_amount
        from shoppers
        where first_age < 1000 and {uniform("customer", "81")} < 0.1
    """,
}


def make_shop(customers: int, folder: Path, seed: int = 1, tables: str = "all") -> None:
    """Write a shop's input tables as Parquet.

    Parameters
    ----------
    customers : int
        How many customers; about 9.5 orders each.
    folder : Path
        Where to; made if missing. Files that stand there are an error.
    seed : int
        Another seed is another shop.
    tables : {"all", "orders"}
        All inputs, or orders alone.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise SystemExit(f"{folder} is not empty: name a new folder")
    scratch = folder / "scratch.duckdb"
    shop = duckdb.connect(str(scratch))
    shop.execute("set preserve_insertion_order = false")
    shop.execute("set memory_limit = '8GB'")
    shop.execute(f"set variable seed = {seed}")
    shop.execute(f"set variable customers = {customers}")
    shop.execute(f"create table shoppers as {CUSTOMERS}")
    shop.execute(f"create table ordered as {ORDERS}")
    write_orders(shop, folder)
    if tables == "all":
        for table, query in OTHERS.items():
            shop.execute(f"copy ({query}) to '{folder / table}.parquet'")
    shop.close()
    scratch.unlink()


def main() -> None:
    """Read the command line, make the shop, say what it has."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--customers", type=int, required=True)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--tables", choices=["all", "orders"], default="all")
    options = parser.parse_args()
    start = time.perf_counter()
    make_shop(options.customers, options.output, options.seed, options.tables)
    for file in sorted(options.output.glob("*")):
        where = f"{file}/*.parquet" if file.is_dir() else f"{file}"
        rows = duckdb.sql(f"select count(*) from '{where}'").fetchall()[0][0]
        print(f"{file.stem:16}{rows:>13,} rows")
    print(f"made in {time.perf_counter() - start:.0f} s")


if __name__ == "__main__":
    main()
