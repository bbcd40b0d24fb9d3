{#- The tests of what was built that were not part of the run. -#}
{% macro tests_left_out() -%}
    {%- set left_out = [] -%}
    {%- for id, node in graph.nodes.items()
        if node.resource_type == 'test' and id not in selected_resources -%}
        {%- set parents = node.depends_on.nodes | reject('in', graph.sources) | list -%}
        {%- if parents and not parents | reject('in', selected_resources) | list -%}
            {%- do left_out.append(node.name) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- do return(left_out) -%}
{%- endmacro %}
