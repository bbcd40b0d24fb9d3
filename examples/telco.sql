-- Telco Customer Churn: 7,043 customers of a telephone company and who of them left in
-- the last month (IBM sample data, Apache 2.0).
-- Source: telco_customer_churn.csv, one line per customer with columns separated by
-- commas: customerID, tenure (months so far), Churn (left within the last month), ...
-- The file has no dates: the last day is set to 2020-01-31, contracts started as many
-- months before as the tenure says, and who left did so on that day. So that the window
-- of churn is that month, build with
--     --vars '{as_of_date: 2020-01-31, holdout_days: 31, reporting_currency: USD}'
-- The charge of the first month stands for the order by which a customer came. All who
-- ever left did so in the last month: nothing can be learned from the window before,
-- and cross-validation is the judge of who leaves (fct_churn_backtest).
-- Who left before that month is not in the file. Survival is learned as if nobody had:
-- the ratios of plan, term and payment say who is lost faster (fct_hazard_ratios), the
-- level is far too high, and start_quarter means nothing: the dates are made up.
create temporary table lines as
select
    "customerID" as customer_id,
    gender,
    "InternetService" as internet_service,
    "Contract" as contract_term,
    "PaymentMethod" as payment_method,
    cast("MonthlyCharges" as decimal(18, 4)) as monthly_amount,
    "Churn" = 'Yes' as has_left,
    date '2020-01-31' as last_date,
    cast(
        date '2020-01-31' - to_months(cast(tenure as integer)) as timestamp
    ) as started_at
from read_csv(getvariable('source'), header = true, all_varchar = true);

create table customers as
select
    customer_id,
    started_at as created_at,
    gender
from lines;

create table orders as
select
    customer_id || '-1' as order_id,
    customer_id,
    started_at as ordered_at,
    monthly_amount as amount,
    'USD' as currency
from lines;

create table subscriptions as
select
    customer_id as subscription_id,
    customer_id,
    started_at,
    case when has_left then cast(last_date as timestamp) end as ended_at,
    monthly_amount,
    case internet_service when 'No' then 'Phone only' else internet_service end as plan,
    case contract_term
        when 'Month-to-month' then 1
        when 'One year' then 12
        when 'Two year' then 24
    end as term_months,
    payment_method
from lines;
