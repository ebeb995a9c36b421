"""Why results are as they are: what is wrong with them, what each error costs, what differs."""
