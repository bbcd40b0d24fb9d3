{% macro export_audiences(results) -%}
    {%- set folder = env_var('CLV_EXPORTS', 'exports') -%}
    {%- set members = results
        | selectattr('node.name', 'equalto', 'fct_audience_members') | list -%}
    {%- set ledger = results
        | selectattr('node.name', 'equalto', 'fct_audience_ledger') | list -%}
    {%- set failed = results | map(attribute='status') | map('string')
        | select('in', ['error', 'fail', 'skipped', 'partial success']) | list -%}
    {%- if failed and ledger -%}
        {%- do log(
            'Something failed: no audience was exported, and none counts as contacted.',
            info=true
        ) -%}
    {%- elif members and ledger and not failed -%}
        {%- set members = members[0].node.relation_name -%}
        {%- set ledger = ledger[0].node.relation_name -%}
        {%- set later = run_query(
            'select count(*) from ' ~ ledger ~ ' where audience_date > (select max('
            ~ 'audience_date) from ' ~ members ~ ')'
        ).rows[0][0] -%}
        {%- if later -%}
            {%- do log(
                'Nothing was exported: fct_audience_ledger has audiences of later days. If'
                ~ ' they are of another shop, delete them there.',
                info=true
            ) -%}
        {%- elif why_no_files(folder) -%}
            {%- do log('No audience was exported: ' ~ why_no_files(folder), info=true) -%}
        {%- else -%}
            {%- for channel in contact_channels() -%}
                {%- set audience -%}
                    select audience_date, customer_id, strategy_id, offer
                    from {{ members }}
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
            {{ set_true(ledger, 'is_exported') }}
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}
