{% macro export_audiences(results) -%}
    {%- set members = results
        | selectattr('node.name', 'equalto', 'fct_audience_members') | list -%}
    {%- set failed = results | map(attribute='status') | map('string')
        | select('in', ['error', 'fail', 'skipped', 'partial success']) | list -%}
    {%- if members and not failed -%}
        {%- set folder = env_var('CLV_EXPORTS', 'exports') -%}
        {%- for channel in contact_channels() -%}
            {%- set audience -%}
                select audience_date, customer_id, strategy_id, offer
                from {{ members[0].node.relation_name }}
                where is_contacted and contact_channel = '{{ channel }}'
                order by customer_id
            {%- endset -%}
            {%- for format in ['csv', 'parquet'] -%}
                {%- do write_file(
                    audience, folder ~ '/audience_' ~ channel ~ '.' ~ format, format
                ) -%}
            {%- endfor -%}
        {%- endfor -%}
        {%- do log('The audience of each channel is in ' ~ folder, info=true) -%}
    {%- endif -%}
{%- endmacro %}
