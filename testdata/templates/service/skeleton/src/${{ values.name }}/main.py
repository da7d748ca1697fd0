"""The service ${{ values.name }} says that it is there."""

print("${{ values.name }} is there")
