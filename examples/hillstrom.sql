-- Hillstrom's e-mail test: 64,000 customers of a shop for clothes, of whom a third got an
-- e-mail on men's clothes, a third one on women's, a third none (MineThatData E-Mail
-- Analytics And Data Mining Challenge, Kevin Hillstrom, March 2008).
-- Source: hillstrom.csv, one line per customer with columns separated by commas: recency
-- (months since the last purchase), history (dollars of the past year), ..., segment,
-- visit, conversion and spend of the two weeks after.
-- The file has no dates and no ids: the e-mails are set to 2008-03-20, customers are
-- numbered as they stand in the file. What somebody spent in the past year is one order,
-- on the day of the last purchase; what they spent in the two weeks after is one order on
-- their last day. Build with
--     --vars '{experiment_window_days: 14, reporting_currency: USD}'
-- The rates of fct_experiment_results are those of the file. Values and churn of single
-- customers mean little here: nobody has more than two orders.
create temporary table lines as
select
    'H' || lpad(cast(row_number() over () as varchar), 5, '0') as customer_id,
    *,
    timestamp '2008-03-20 00:00:00' as assigned_at
from read_csv(getvariable('source'), header = true, all_varchar = true, parallel = false);

create table customers as
select
    customer_id,
    zip_code as region,
    case
        when mens = '1' and womens = '1' then 'men''s and women''s clothes'
        when mens = '1' then 'men''s clothes'
        when womens = '1' then 'women''s clothes'
    end as interests
from lines;

create table orders as
select
    customer_id || '-1' as order_id,
    customer_id,
    assigned_at - to_months(cast(recency as integer)) as ordered_at,
    history as amount,
    channel as sales_channel,
    'USD' as currency
from lines

union all

select
    customer_id || '-2' as order_id,
    customer_id,
    assigned_at + to_days(14) as ordered_at,
    spend as amount,
    null as sales_channel,
    'USD' as currency
from lines
where conversion = '1';

create table events as
select
    customer_id,
    assigned_at + to_days(7) as occurred_at,
    'visit' as event_type
from lines
where visit = '1';

create table experiments as
select
    'hillstrom' as experiment_id,
    customer_id,
    case segment
        when 'Mens E-Mail' then 'mens_email'
        when 'Womens E-Mail' then 'womens_email'
        when 'No E-Mail' then 'control'
    end as arm,
    assigned_at
from lines;
