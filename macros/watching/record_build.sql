{% macro record_build(results) -%}
    {%- set kinds = ['model', 'seed', 'snapshot', 'test', 'unit_test'] -%}
    {%- set built = results
        | selectattr('node.resource_type', 'in', kinds) | list -%}
    {%- if built and flags.INTROSPECT -%}
        {%- set log_table = 'operations.build_results' -%}
        {%- set text = dbt.type_string() -%}
        {%- set columns = {
            'invocation_id': text,
            'started_at': 'timestamp',
            'command': text,
            'selection': text,
            'as_of_date': 'date',
            'node_type': text,
            'node_name': text,
            'tested_model': text,
            'status': text,
            'failure_count': 'bigint',
            'seconds': type_double(),
        } -%}
        {%- set clock = built | selectattr('node.name', 'equalto', 'int_cutoff_dates')
            | selectattr('status', 'equalto', 'success') | list -%}
        {%- if clock -%}
            {%- set as_of_date = "(select max(cutoff_date) from "
                ~ clock[0].node.relation_name ~ " where cutoff = 'live')" -%}
        {%- else -%}
            {%- set as_of_date = 'cast(null as date)' -%}
        {%- endif -%}
        {%- set rows = [] -%}
        {#- a thousand rows: a call of quoted_text for each value would be felt -#}
        {%- for result in built -%}
            {%- set node = result.node -%}
            {#- a unit test has a model, a data test is attached to one -#}
            {%- set tested = (node.tested_node_unique_id
                if node.resource_type == 'unit_test' else node.attached_node) or '' -%}
            {%- do rows.append(
                "('" ~ node.resource_type ~ "', '" ~ node.name | replace("'", "''")
                ~ "', '" ~ tested.split('.')[-1] ~ "', '" ~ result.status ~ "', "
                ~ (result.failures if result.failures is not none else 'null')
                ~ ', ' ~ result.execution_time ~ ')'
            ) -%}
        {%- endfor -%}
        {%- set insert -%}
            insert into {{ log_table }} ({{ columns | join(', ') }})
            select
                {{ quoted_text(invocation_id) }},
                timestamp '{{ run_started_at.strftime("%Y-%m-%d %H:%M:%S") }}',
                {{ quoted_text(flags.WHICH) }},
                {{ quoted_text(selection_in_words()) }},
                {{ as_of_date }},
                node_type,
                node_name,
                nullif(tested_model, ''),
                status,
                cast(failure_count as bigint),
                cast(seconds as {{ type_double() }})
            from (values {{ rows | join(', ') }}) as results (
                node_type, node_name, tested_model, status, failure_count, seconds
            )
        {%- endset -%}
        {%- set is_old -%}
            started_at < (
                select min(started_at)
                from (
                    select distinct started_at
                    from {{ log_table }}
                    order by started_at desc
                    limit 30
                ) as kept
            )
        {%- endset -%}
        {%- set written = statements([
            'create schema if not exists operations',
            create_log_table(log_table, columns, 'invocation_id'),
            insert,
        ]) -%}
        {#- may ask the table: not before it is there -#}
        {%- set forgotten = delete_partitions(log_table, ['invocation_id'], is_old) -%}
        {{ [written | trim, forgotten | trim] | select | join(';\n') }}
    {%- endif -%}
{%- endmacro %}
