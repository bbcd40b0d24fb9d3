{#- A Python model's table. What the model returns becomes a table of Spark through
    Arrow, which keeps the types of its columns; pandas on Spark, dbt-spark's way, makes
    an index first. -#}
{% macro spark_connect__create_table_as(
    temporary, relation, compiled_code, language='sql'
) -%}
    {%- if language == 'python' %}
{{ compiled_code }}

import pandas
import pyarrow

learned = model(dbtObj(spark.table), spark)
if isinstance(learned, pandas.DataFrame):
    learned = spark.createDataFrame(
        pyarrow.Table.from_pandas(learned, preserve_index=False)
    )
learned.write.mode("overwrite").format("parquet").saveAsTable({{ relation.render() | tojson }})
    {%- else -%}
        {{ spark__create_table_as(temporary, relation, compiled_code, language) }}
    {%- endif -%}
{%- endmacro %}
