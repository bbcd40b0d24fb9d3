{#- What a user's thresholds find wrong with the inputs; documented in
    _watching__macros.yml. -#}
{% macro check_inputs() -%}
    {%- if execute and flags.INTROSPECT and flags.WHICH in ['build', 'run'] -%}
        {%- do setting_number('orders_maximum_age_days', minimum=0) -%}
        {%- do setting_number(
            'inputs_minimum_share_of_last_build', minimum=0, maximum=1
        ) -%}
        {%- set oldest = var('orders_maximum_age_days') -%}
        {%- set share = var('inputs_minimum_share_of_last_build') -%}
        {%- set wanted = setting_by_input('inputs_minimum_rows', minimum=0) -%}
        {%- set known = rows_of_last_build() if share is not none else {} -%}
        {%- set findings = [] -%}

        {%- set counted = {} -%}
        {%- for name in wanted.keys() | list + known.keys() | list -%}
            {%- do counted.update({name: 0}) -%}
        {%- endfor -%}
        {%- if counted -%}
            {%- set queries = [] -%}
            {%- for name in counted -%}
                {%- do queries.append(
                    'select ' ~ quoted_text(name) ~ ', count(*) from raw.' ~ name
                ) -%}
            {%- endfor -%}
            {%- for row in run_query(queries | join(' union all ')).rows -%}
                {%- do counted.update({row[0]: row[1]}) -%}
            {%- endfor -%}
        {%- endif -%}
        {%- for name, row_count in counted.items() | sort -%}
            {%- if name in wanted and row_count < wanted[name] -%}
                {%- do findings.append(
                    name ~ ': ' ~ row_count ~ ' rows were delivered, at least '
                    ~ wanted[name] ~ ' are wanted (var inputs_minimum_rows).'
                ) -%}
            {%- endif -%}
            {%- if name in known and row_count < share * known[name] -%}
                {%- do findings.append(
                    name ~ ': ' ~ row_count ~ ' rows were delivered, the last build had '
                    ~ known[name] ~ '; at least ' ~ (100 * share) | round(2) ~ ' % of them'
                    ~ ' are wanted (var inputs_minimum_share_of_last_build).'
                ) -%}
            {%- endif -%}
        {%- endfor -%}

        {%- if oldest is not none -%}
            {%- set today = run_started_at.strftime('%Y-%m-%d') -%}
            {#- a date mistyped into the future is no news; shops' clocks may be a day
                ahead of this one -#}
            {%- set moment = parsed_timestamp('ordered_at') -%}
            {%- set row = run_query(
                'select max(last_date), max(' ~ days_between(
                    'last_date', "cast('" ~ today ~ "' as date)"
                ) ~ ') from (select cast(max(' ~ moment ~ ') as date) as last_date'
                ~ ' from raw.orders where ' ~ moment ~ ' < ' ~ add_days(
                    "cast('" ~ today ~ "' as date)", 2
                ) ~ ') as orders'
            ).rows[0] -%}
            {%- if row[1] is none -%}
                {%- do findings.append(
                    'orders: none has a date that can be read, so that they may be older'
                    ~ ' than the ' ~ oldest ~ ' days allowed (var orders_maximum_age_days).'
                ) -%}
            {%- elif row[1] > oldest -%}
                {%- do findings.append(
                    'orders: the last one is of ' ~ row[0] ~ ', ' ~ row[1] ~ ' days before'
                    ~ ' this day, ' ~ today ~ ' (UTC); at most ' ~ oldest
                    ~ ' days are allowed (var orders_maximum_age_days).'
                ) -%}
            {%- endif -%}
        {%- endif -%}

        {%- if findings -%}
            {%- do exceptions.raise_compiler_error(
                'The inputs do not meet the thresholds that were set; no table was'
                ~ ' touched.\n  - ' ~ findings | join('\n  - ')
                ~ '\nDeliver them anew. If they are right as they are, let them pass'
                ~ " once: --vars '{<var>: null}' ({} for inputs_minimum_rows)."
            ) -%}
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}
