#!/bin/sh
exec python3 "src/${{ values.name }}/main.py"
