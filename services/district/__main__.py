from services.chassis.process import run
from services.district.app import service

if __name__ == "__main__":
    run(service)
