"""The demo shop on two days, for checks that build an increment.

Today's is seeds/demo. Yesterday's has no orders of its last day, and two others were
not as they are today.
"""

import csv
import shutil
from pathlib import Path

DEMO = Path(__file__).parents[1] / "seeds" / "demo"


def yesterdays_shop(folder: Path) -> Path:
    """Write the demo shop as it was the day before its last."""
    shutil.copytree(DEMO, folder)
    with (DEMO / "orders.csv").open(newline="") as file:
        header, *orders = csv.reader(file)
    day, amount = header.index("ordered_at"), header.index("amount")
    last_day = max(order[day][:10] for order in orders)
    before = [order for order in orders if order[day][:10] < last_day]
    # one has been corrected since, one has arrived late
    before[-10][amount] = "1.00"
    del before[-20]
    with (folder / "orders.csv").open("w", newline="") as file:
        csv.writer(file).writerows([header, *before])
    return folder
