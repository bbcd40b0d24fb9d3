{% macro setting_by_input(name, minimum=none, maximum=none) -%}
    {%- set values = var(name) or {} -%}
    {%- set inputs = graph.sources.values()
        | selectattr('source_name', 'equalto', 'shop')
        | map(attribute='name') | list -%}
    {%- if values is not mapping -%}
        {%- do exceptions.raise_compiler_error(
            'The var ' ~ name ~ ' must name inputs, as in {orders: ' ~ (maximum or 1000)
            ~ '}, not ' ~ values ~ '.'
        ) -%}
    {%- endif -%}
    {%- for input, value in values.items() -%}
        {%- if input not in inputs -%}
            {%- do exceptions.raise_compiler_error(
                'The var ' ~ name ~ ' names an input that the contract does not have: '
                ~ input ~ '. It has: ' ~ inputs | join(', ') ~ '.'
            ) -%}
        {%- elif value is not number or value is boolean
            or (minimum is not none and value < minimum)
            or (maximum is not none and value > maximum) -%}
            {%- do exceptions.raise_compiler_error(
                'The var ' ~ name ~ ' must give ' ~ input ~ ' a number'
                ~ (' of at least ' ~ minimum if minimum is not none else '')
                ~ (' and at most ' ~ maximum if maximum is not none else '')
                ~ ', not ' ~ value ~ '.'
            ) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- do return(values) -%}
{%- endmacro %}
