{% macro selection_in_words() -%}
    {%- set words = [] -%}
    {%- for option in ['selector', 'select', 'exclude', 'resource_type'] -%}
        {%- set given = invocation_args_dict.get(option) -%}
        {%- if given -%}
            {%- do words.append(option ~ ' ' ~ (
                given if given is string else given | join(' ')
            )) -%}
        {%- endif -%}
    {%- endfor -%}
    {{ words | join(', ') or 'everything' }}
{%- endmacro %}
