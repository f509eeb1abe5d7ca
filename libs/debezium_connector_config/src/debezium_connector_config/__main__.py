"""The command line: `python -m debezium_connector_config render|validate|apply|status`."""

import sys

from debezium_connector_config.cli import main

sys.exit(main(sys.argv[1:]))
