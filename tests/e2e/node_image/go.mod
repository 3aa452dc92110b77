module understudy/tests/node

go 1.22
