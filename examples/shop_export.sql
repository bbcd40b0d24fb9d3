-- What a shop system might export, to try docs/getting-started.md with: the orders of
-- every third customer of the demo shop, under column names of its own, with nothing
-- else known, and with the mistakes that such files have.
-- Source: seeds/demo/orders.csv.
create table orders as
select
    order_id as "Order No",
    customer_id as "Client",
    ordered_at as "Created",
    amount as "Total",
    status as "Status",
    currency as "Currency"
from read_csv(getvariable('source'), header = true, all_varchar = true)
where customer_id is null or try_cast(customer_id[2:] as integer) % 3 = 0;
