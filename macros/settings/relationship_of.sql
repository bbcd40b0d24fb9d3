{% macro relationship_of(has_contract) -%}
    {%- set choice = setting_choice(
        'relationship', ['auto', 'contractual', 'noncontractual']
    ) -%}
    {%- if choice == 'auto' -%}
        case when {{ has_contract }} then 'contractual' else 'noncontractual' end
    {%- else -%}
        '{{ choice }}'
    {%- endif -%}
{%- endmacro %}
