{#- All steps in one expression: Spark computes a CTE anew for each one that reads it, and
    would plan fifty sorts on top of each other. -#}
{% macro spark__sweep_steps(pivot_count) %}
matrix_{{ pivot_count }} as (
    select
        i,
        j,
        entry
    from (
        select
            aggregate(
                sequence(1, {{ pivot_count }}),
                transform(sequence(0, {{ pivot_count }}), i -> transform(
                    sequence(0, {{ pivot_count }}),
                    j -> try_element_at(entries, struct(i, j))
                )),
                (matrix, k) -> transform(matrix, (in_row, i) -> transform(
                    in_row,
                    (entry, j) -> case
                        when matrix[k][k] is null then entry
                        when i = k and j = k then 1 / matrix[k][k]
                        when i = k then entry / matrix[k][k]
                        when j = k then -entry / matrix[k][k]
                        else entry - in_row[k] * matrix[k][j] / matrix[k][k]
                    end
                ))
            ) as matrix
        from (
            select map_from_entries(collect_list(struct(
                struct(cast(i as int) as i, cast(j as int) as j), entry
            ))) as entries
            from matrix_0
        ) as collected
    ) as swept
    lateral view posexplode(matrix) as i, in_row
    lateral view posexplode(in_row) as j, entry
    where entry is not null
),
{%- endmacro %}
