"""Superset's settings for make superset: SQLite, one machine, nothing from outside.

scripts/superset_home.py makes the folder SUPERSET_HOME that this reads.
"""

import os
from pathlib import Path

HOME = Path(os.environ["SUPERSET_HOME"])
SECRET_KEY = (HOME / "secret_key").read_text()
SQLALCHEMY_DATABASE_URI = f"sqlite:///{HOME}/superset.db"

# DuckDB is among the databases that could read the machine's files; the assets connect
# with external access switched off and the setting locked
PREVENT_UNSAFE_DB_CONNECTIONS = False

# Okabe and Ito's colours, told apart by colour-blind people too, as in the boards
EXTRA_CATEGORICAL_COLOR_SCHEMES = [
    {
        "id": "colour_blind_safe",
        "label": "Colour-blind safe",
        "description": "",
        "isDefault": True,
        "colors": [
            *("#0072B2", "#E69F00", "#009E73", "#CC79A7"),
            *("#56B4E9", "#D55E00", "#666666", "#B8A800"),
        ],
    }
]

# Charts out of sight are drawn too, so that a dashboard can be printed whole
FEATURE_FLAGS = {"DASHBOARD_VIRTUALIZATION": False}

# Superset's pages ask a counter elsewhere for a picture: the browser is told not to
TALISMAN_CONFIG = {
    "content_security_policy": {
        "base-uri": ["'self'"],
        "default-src": ["'self'"],
        "img-src": ["'self'", "blob:", "data:"],
        "worker-src": ["'self'", "blob:"],
        "connect-src": ["'self'"],
        "object-src": "'none'",
        "style-src": ["'self'", "'unsafe-inline'"],
        "font-src": ["'self'"],
        "script-src": ["'self'", "'strict-dynamic'"],
    },
    "content_security_policy_nonce_in": ["script-src"],
    "force_https": False,
    "session_cookie_secure": False,
}
