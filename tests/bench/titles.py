#!/usr/bin/env python3
"""Titles to measure with: distinct, shuffled, one a line. `titles.py OUTPUT`.

With JOBCODE_ONET_DIR set they are O*NET's alternate titles; else they are put together from the words below, with
about as many tokens each. The generator is seeded: every run gives the same titles.
"""
import os
import pathlib
import random
import re
import sys

N_MADE_UP = 5000
N_ONET = 20000
SEED = 20190

LEVELS = """Senior|Junior|Lead|Chief|Assistant|Associate|Principal|Staff|Head|Trainee|Interim|Deputy|Night Shift
Part Time|Certified|Licensed|Regional|Bilingual|Travel|Entry Level""".replace("\n", "|").split("|")
FIELDS = """Software|Java|Data|Network|Cloud|Payroll|Tax|Credit|Loan|Insurance|Claims|Pediatric|Dental|Surgical|ICU
Emergency Room|Radiology|Pharmacy|Physical Therapy|Mental Health|Kindergarten|High School Math|Special Education
Library|Museum|Forklift|Delivery|Bus|Crane|Tower Crane|CNC|Welding|Sheet Metal|Quality Control|Maintenance|HVAC
Plumbing|Electrical|Solar Panel|Wind Turbine|Roofing|Carpentry|Masonry|Landscape|Greenhouse|Dairy|Poultry|Fishing
Kitchen|Pastry|Banquet|Front Desk|Housekeeping|Call Center|Retail Store|Wholesale|Merchandise|Warehouse|Inventory
Supply Chain|Procurement|Freight|Air Traffic|Flight|Marine|Railroad|Fire Safety|Security|Corrections|Probation
Legal|Patent|Human Resources|Recruiting|Marketing|Social Media|Public Relations|Graphic|Fashion|Video|Sound|Stage
Textile|Upholstery|Furniture|Packaging|Paper Mill|Chemical|Biomedical|Clinical Research|Environmental|Water Treatment
Geological|Mining|Oil Rig|Power Plant|Nuclear|Aerospace|Automotive|Diesel|Bicycle|Appliance|Elevator|Locksmith
Real Estate|Property|Funeral|Fitness|Childcare|Veterinary|Laundry|Printing|Postal|Census|Statistical|Survey
Actuarial|Budget|Financial|Investment|Treasury""".replace("\n", "|").split("|")
ROLES = """Manager|Engineer|Technician|Analyst|Specialist|Coordinator|Supervisor|Assistant|Operator|Clerk|Inspector
Instructor|Teacher|Nurse|Aide|Consultant|Administrator|Director|Designer|Developer|Mechanic|Installer|Driver|Foreman
Planner|Buyer|Agent|Representative|Officer|Worker|Helper|Apprentice|Scientist|Advisor|Auditor|Dispatcher|Trainer
Attendant|Estimator|Examiner""".replace("\n", "|").split("|")
SUFFIXES = ["(Nights)", "II", "III", "- Remote", "/ Team Lead", "(Full Time)", "- West Region", "(m/f/d)"]


def make_title(rng):
    words = [rng.choice(FIELDS), rng.choice(ROLES)]
    if rng.random() < 0.45:
        words.insert(0, rng.choice(LEVELS))
    if rng.random() < 0.2:
        words.append(rng.choice(SUFFIXES))
    return " ".join(words)


def read_onet(folder):
    with open(folder / "Alternate Titles.txt", encoding="utf-8") as file:
        next(file)
        return [line.split("\t")[1].strip() for line in file]


def distinct(titles):
    """The server encodes equal titles of a batch once: those that tokenise alike would flatter it."""
    seen = set()
    for title in titles:
        key = re.sub(r"[^a-z0-9]+", " ", title.lower()).strip()
        if key and key not in seen:
            seen.add(key)
            yield title


def main():
    rng = random.Random(SEED)
    folder = os.environ.get("JOBCODE_ONET_DIR")
    if folder:
        titles = list(distinct(read_onet(pathlib.Path(folder))))
        rng.shuffle(titles)
        del titles[N_ONET:]
    else:
        titles = list(distinct(make_title(rng) for _ in range(2 * N_MADE_UP)))[:N_MADE_UP]
    pathlib.Path(sys.argv[1]).write_text("\n".join(titles) + "\n", encoding="utf-8")
    print(f"{len(titles)} {'O*NET alternate' if folder else 'made-up'} titles")


if __name__ == "__main__":
    sys.exit(main())
