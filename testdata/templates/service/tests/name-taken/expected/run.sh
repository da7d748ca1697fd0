#!/bin/sh
exec python3 "src/parcel-tracking/main.py"
