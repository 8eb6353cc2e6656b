#!/usr/bin/env python3
"""A first classification: posts a few titles to a running server and prints the ranked codes. first.py URL"""
import json
import sys
import urllib.request

POSTINGS = [
    {"id": "1", "title": "ICU Nurse (Nights)"},
    {"id": "2", "title": "Senior Java Developer"},
    {"id": "3", "title": "CDL-A Truck Driver - Home Weekly!"},
    {"id": "4", "title": "", "body": "<p>We are hiring a <b>line cook</b> for our busy kitchen.</p>"},
]


def main():
    body = json.dumps({"postings": POSTINGS, "top_n": 3}).encode()
    request = urllib.request.Request(sys.argv[1] + "/v1/classify", body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as response:
        answer = json.load(response)
    print(f"model {answer['model']}, {answer['taxonomy']}")
    for posting, result in zip(POSTINGS, answer["results"]):
        print(f"\n{posting['title'] or posting['body']}")
        for match in result["matches"]:
            print(f"  {match['rank']}. {match['code']}  {match['title']:<60} {match['confidence']:.2f}")


if __name__ == "__main__":
    main()
