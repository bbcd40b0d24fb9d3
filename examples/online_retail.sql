-- Online Retail II: the invoice lines of a British mail-order shop for gifts (UCI
-- Machine Learning Repository, CC BY 4.0), one year of it as Parquet.
-- Lines of one invoice are one order; invoices that begin with C are cancellations and
-- come in as negative orders of their own day. Lines without a customer stay guests'.
-- No line is dropped, identical ones neither.
create temporary table lines as
select
    Invoice as order_id,
    cast(cast("Customer ID" as bigint) as varchar) as customer_id,
    cast(InvoiceDate as timestamp) as invoiced_at,
    StockCode as product_id,
    Description as product_name,
    cast(Quantity as decimal(18, 4)) as quantity,
    cast(Price as decimal(18, 4)) as unit_price,
    Country as country
from read_parquet(getvariable('source'));

create table orders as
select
    order_id,
    min(customer_id) as customer_id,
    min(invoiced_at) as ordered_at,
    sum(quantity * unit_price) as amount,
    'GBP' as currency
from lines
group by order_id;

create table order_items as
select
    order_id,
    row_number() over (
        partition by order_id
        order by product_id, product_name, quantity, unit_price, invoiced_at
    ) as line_number,
    product_id,
    quantity,
    unit_price
from lines;

create table customers as
select
    customer_id,
    mode(country order by country) as country
from lines
where customer_id is not null
group by customer_id;

create table products as
select
    product_id,
    mode(product_name order by product_name) as product_name
from lines
group by product_id;
