-- CDNOW: every purchase of the 23,570 people who first bought at an online record
-- shop in the first quarter of 1997 (Fader and Hardie).
-- Source: CDNOW_master.txt, one line per purchase with columns separated by spaces:
-- customer, date as yyyymmdd, number of CDs, dollars.
create table orders as
with

lines as (
    select string_split_regex(trim(line), '\s+') as fields
    from read_csv(
        getvariable('source'),
        columns = {'line': 'varchar'},
        delim = '\0', quote = '', escape = '', header = true
    )
)

select
    row_number() over (order by fields) as order_id,
    fields[1] as customer_id,
    strptime(fields[2], '%Y%m%d') as ordered_at,
    fields[4] as amount,
    'USD' as currency
from lines;
