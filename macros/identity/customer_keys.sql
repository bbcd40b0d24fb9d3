{#- How customers can be reached, as salted hashes: '@' and something on either side, or
    seven digits and more. -#}
{% macro customer_keys(customers, salt) -%}
    {%- set asked = setting_choice(
        'match_customers', ['none', 'email', 'phone', 'email_or_phone']
    ) -%}
    {%- set queries = [] -%}
    {%- for kind, value, condition in [
        ('email', 'lower(trim(email))', "trim(email) like '%_@_%'"),
        ('phone', digits_of('phone'), 'length(' ~ digits_of('phone') ~ ') >= 7'),
    ] if kind in asked -%}
        {%- set query -%}
            select distinct
                customer_id,
                '{{ kind }}' as key_kind,
                {{ sha256(dbt.concat([quoted_text(salt), value])) }} as key_hash
            from {{ customers }}
            where customer_id is not null and {{ condition }}
        {%- endset -%}
        {%- do queries.append(query) -%}
    {%- endfor -%}
    {{ queries | join(' union all ') }}
{%- endmacro %}
