from services.chassis.process import run
from services.records.app import service

if __name__ == "__main__":
    run(service)
