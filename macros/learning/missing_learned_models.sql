{#- The learned models that selected models read but that are neither selected nor
    built: [{name, schema}], by name. -#}
{% macro missing_learned_models() -%}
    {%- set read = {} -%}
    {%- for id in selected_resources if id in graph.nodes -%}
        {%- if graph.nodes[id].resource_type == 'model' -%}
            {%- for parent_id in graph.nodes[id].depends_on.nodes
                if parent_id not in selected_resources and parent_id in graph.nodes -%}
                {%- if 'learn' in graph.nodes[parent_id].config.tags -%}
                    {%- do read.update({parent_id: graph.nodes[parent_id]}) -%}
                {%- endif -%}
            {%- endfor -%}
        {%- endif -%}
    {%- endfor -%}
    {%- set missing = [] -%}
    {#- with --defer another environment's tables are read -#}
    {%- if read and not flags.DEFER -%}
        {%- for schema, nodes in read.values() | groupby('schema') -%}
            {%- set built = tables_of(schema) | map(attribute='name')
                | map('lower') | list -%}
            {%- for node in nodes | sort(attribute='name')
                if node.alias | lower not in built -%}
                {%- do missing.append({'name': node.name, 'schema': schema}) -%}
            {%- endfor -%}
        {%- endfor -%}
    {%- endif -%}
    {%- do return(missing) -%}
{%- endmacro %}
