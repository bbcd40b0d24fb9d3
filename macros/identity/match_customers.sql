{% macro match_customers(customers) -%}
    {%- do run_query('create schema if not exists raw') -%}
    {%- if setting_choice(
        'match_customers', ['none', 'email', 'phone', 'email_or_phone']
    ) == 'none' -%}
        {#- what a build before has matched counts no more -#}
        {%- do make_raw_table('customer_groups',
            "select '' as match_outcome, 0 as customer_count where false"
        ) -%}
        {%- do run_query('drop table if exists raw.customer_ids') -%}
        {%- do return(false) -%}
    {%- endif -%}
    {%- set most = setting_number(
        'match_customers_at_most', minimum=2, whole=true
    ) -%}
    {%- do make_raw_table('customer_keys', customer_keys(customers ~ ' as customers', hash_salt())) -%}
    {#- an address that so many share is an office's or a shop's own -#}
    {%- set shared -%}
        select
            key_kind,
            key_hash,
            count(*) as customer_count
        from raw.customer_keys
        group by key_kind, key_hash
    {%- endset -%}
    {%- set usable -%}
        (
            select
                keys_found.customer_id,
                keys_found.key_kind,
                keys_found.key_hash
            from raw.customer_keys as keys_found
            inner join ({{ shared }}) as shared
                on
                    keys_found.key_kind = shared.key_kind
                    and keys_found.key_hash = shared.key_hash
            where shared.customer_count between 2 and {{ most }}
        )
    {%- endset -%}
    {%- do make_raw_table(
        'customer_labels',
        'select distinct customer_id, customer_id as label from ' ~ usable ~ ' as usable'
    ) -%}
    {#- until nothing changes: exact for a chain of any length -#}
    {%- set walk = namespace(is_done=false) -%}
    {%- for step in range(100) if not walk.is_done -%}
        {%- do make_raw_table(
            'customer_labels_next', labels_spread(usable, 'raw.customer_labels')
        ) -%}
        {%- set changed = run_query(
            'select count(*) from raw.customer_labels as before'
            ~ ' inner join raw.customer_labels_next as after'
            ~ ' on before.customer_id = after.customer_id'
            ~ ' where before.label != after.label'
        ).rows[0][0] -%}
        {%- do make_raw_table(
            'customer_labels', 'select * from raw.customer_labels_next'
        ) -%}
        {%- set walk.is_done = changed == 0 -%}
    {%- endfor -%}
    {%- if not walk.is_done -%}
        {%- do exceptions.raise_compiler_error(
            'Customers were not matched in 100 steps: one group is too long.'
        ) -%}
    {%- endif -%}
    {%- set sizes -%}
        select
            label,
            count(*) as customer_count
        from raw.customer_labels
        group by label
    {%- endset -%}
    {%- do make_raw_table('customer_ids',
        'select labels.customer_id, labels.label as canonical_customer_id'
        ~ ' from raw.customer_labels as labels'
        ~ ' inner join (' ~ sizes ~ ') as sizes on labels.label = sizes.label'
        ~ ' where sizes.customer_count <= ' ~ most
    ) -%}
    {%- set groups -%}
        select
            case
                when customer_count > {{ most }} then 'group_too_large'
                else 'merged'
            end as match_outcome,
            customer_count
        from ({{ sizes }}) as sizes
        union all
        select
            'shared_by_too_many' as match_outcome,
            customer_count
        from ({{ shared }}) as shared
        where customer_count > {{ most }}
    {%- endset -%}
    {%- do make_raw_table('customer_groups', groups) -%}
    {%- for table in ['customer_labels', 'customer_labels_next', 'customer_keys'] -%}
        {%- do run_query('drop table if exists raw.' ~ table) -%}
    {%- endfor -%}
    {%- do return(true) -%}
{%- endmacro %}
