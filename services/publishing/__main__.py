from services.chassis.process import run
from services.publishing.app import service

if __name__ == "__main__":
    run(service)
