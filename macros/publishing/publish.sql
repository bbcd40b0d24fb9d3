{% macro publish(results) -%}
    {#- dbt renders hooks in `compile` and `docs generate` too, which build nothing -#}
    {%- if execute and flags.WHICH in ['build', 'run'] and publishes() -%}
        {%- set published = graph.nodes.values()
            | selectattr('resource_type', 'equalto', 'model')
            | selectattr('config.meta.published', 'true')
            | sort(attribute='alias') -%}
        {#- the rest is built now and then: what `--selector daily` leaves out -#}
        {%- set left_out = [] -%}
        {%- for node in published
            if node.unique_id not in selected_resources
            and 'weekly' not in node.config.tags -%}
            {%- do left_out.append(node.name) -%}
        {%- endfor -%}
        {%- set failed = results | map(attribute='status') | map('string')
            | select('in', ['error', 'fail', 'skipped', 'partial success']) | list -%}
        {%- if left_out -%}
            {#- a part of the tables: nobody expects it to be published -#}
        {%- elif failed -%}
            {%- do log(
                'Something failed: nothing was published, and what is served stays as it'
                ~ ' was.',
                info=true
            ) -%}
        {%- elif tests_left_out() or flags.EMPTY or flags.SAMPLE -%}
            {%- do log(
                'Nothing was published: that takes a `dbt build` of all rows with all'
                ~ ' tests.',
                info=true
            ) -%}
        {%- else -%}
            {%- set grains = {} -%}
            {%- for test in graph.nodes.values()
                | selectattr('test_metadata', 'defined')
                | selectattr('test_metadata.name', 'equalto', 'grain') -%}
                {%- do grains.update({test.attached_node: test.test_metadata.kwargs}) -%}
            {%- endfor -%}
            {%- set tables = [] -%}
            {%- for node in published -%}
                {%- set grain = grains.get(node.unique_id, {}) -%}
                {%- do tables.append({
                    'name': node.alias,
                    'schema': node.schema,
                    'is_built': node.unique_id in selected_resources,
                    'key': none if grain.get('nullable') else grain.get('columns'),
                    'readers': node.config.grants.get('select', []),
                }) -%}
            {%- endfor -%}
            {%- set clock = graph.nodes.values()
                | selectattr('name', 'equalto', 'int_cutoff_dates') | first -%}
            {%- set as_of_date = run_query(
                'select cutoff_date from ' ~ clock.relation_name
                ~ " where cutoff = 'live'"
            ).rows -%}
            {%- set answer = publish_tables({
                'database': target.database,
                'tables': tables,
                'as_of_date': as_of_date[0][0] | string if as_of_date else none,
                'invocation_id': invocation_id,
            }) -%}
            {%- if answer.is_published -%}
                {%- do log(answer.message, info=true) -%}
            {%- else -%}
                {#- a hook that fails ends the build with an error that is only this text -#}
                select error({{ quoted_text(answer.message) }})
            {%- endif -%}
        {%- endif -%}
    {%- endif -%}
{%- endmacro %}
