{% macro require_learned() -%}
    {%- if execute and flags.INTROSPECT -%}
        {%- set missing = missing_learned_models() -%}
        {%- if missing -%}
            {%- set schemas = missing | map(attribute='schema') | unique | join(', ') -%}
            {%- do exceptions.raise_compiler_error(
                'Nothing has been learned yet that this build could score with: '
                ~ missing | map(attribute='name') | join(', ')
                ~ (' is' if missing | length == 1 else ' are')
                ~ ' neither selected nor in the schema ' ~ schemas ~ ' of '
                ~ (target.database or target.name) ~ '. Run `dbt build` once without'
                ~ ' `--exclude tag:learn`; after that it re-scores with what was'
                ~ ' learned then.'
            ) -%}
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}
