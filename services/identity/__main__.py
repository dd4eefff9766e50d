from services.chassis.process import run
from services.identity.app import service

run(service)
