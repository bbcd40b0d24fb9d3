"""Apache Airflow: every day what is new, on Sundays everything.

Put this file into Airflow's folder of DAGs and set the Airflow variables
`customer_lifetime_project` (the folder of the project on the worker, where `make build`
has run once) and `customer_lifetime_input` (CLV_INPUT).
"""

from datetime import datetime, timedelta

from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG

PROJECT = "{{ var.value.customer_lifetime_project }}"

with DAG(
    dag_id="customer_lifetime",
    schedule="0 5 * * *",
    start_date=datetime(2026, 1, 1),
    catchup=False,
    # one process writes the warehouse at a time
    max_active_runs=1,
    # a build that failed for a file that was late; a second one changes nothing else
    default_args={"retries": 2, "retry_delay": timedelta(minutes=20)},
    tags=["dbt", "customer_lifetime"],
) as dag:
    build = BashOperator(
        task_id="build",
        # %w: 0 is Sunday; the run of a Sunday learns anew
        bash_command=(
            "{% if dag_run.run_after.strftime('%w') == '0' %}make build"
            "{% else %}make update{% endif %}"
        ),
        cwd=PROJECT,
        env={"CLV_INPUT": "{{ var.value.customer_lifetime_input }}"},
        append_env=True,
    )
    # red: exit code 1, and the task fails; the numbers are published all the same
    status = BashOperator(
        task_id="status", bash_command="make status", cwd=PROJECT, retries=0
    )
    build >> status
