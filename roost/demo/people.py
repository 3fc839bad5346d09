"""Who lives in the demo. All of them are made up."""

MAPLE_PASSWORD = "harbour-demo-passphrase"
CEDAR_PASSWORD = "lantern-demo-passphrase"

# Name, role, title, college, registration number, whether they see clients.
MAPLE_STAFF = [
    ("Olivia Osei", "owner", "", "", "", False),
    ("Adam Arsenault", "admin", "", "", "", False),
    (
        "Tara Okafor", "therapist", "RP",
        "College of Registered Psychotherapists of Ontario", "RP-004217", True,
    ),
    (
        "Theo Lang", "therapist", "RSW",
        "Ontario College of Social Workers and Social Service Workers", "RSW-831150", True,
    ),
]  # fmt: skip
CEDAR_STAFF = [
    ("Ines Castellan", "owner", "", "", "", False),
    (
        "Mika Sato", "therapist", "RCC",
        "BC Association of Clinical Counsellors", "RCC-20931", True,
    ),
]  # fmt: skip

# Forty more clients of Maple: name, what they go by, day of birth.
MAPLE_CLIENTS = [
    ("Desmond O’Leary", "", "1971-06-02"),
    ("Oluwaseun Adébáyò-Thornbury", "Seun", "1989-11-20"),
    ("Wei Zhang", "Vivian", "1985-05-02"),
    ("Amara Lindqvist", "", "1979-07-11"),
    ("Tomasz Wróblewski", "Tomek", "1965-12-03"),
    ("Priya Raman", "", "1998-09-30"),
    ("Maria-Alejandra Fernández-Oyelaran de la Cruz", "Alex", "1988-02-02"),
    ("Jordan Achebe", "Jo", "1990-05-14"),
    ("Hannah Whitcombe", "", "1993-01-19"),
    ("Luc Tremblay", "", "1958-04-27"),
    ("Sofia Marchetti", "", "2001-08-08"),
    ("Kenji Watanabe", "Ken", "1982-10-15"),
    ("Ngozi Eze", "", "1976-03-22"),
    ("Fatima Al-Sayed", "", "1995-12-12"),
    ("Björn Ásgeirsson", "", "1969-09-09"),
    ("Chloé Gagnon", "", "2003-06-30"),
    ("Dmitri Volkov", "Dima", "1987-02-17"),
    ("Esther Mwangi", "", "1991-07-05"),
    ("Rashid Karimi", "", "1974-11-28"),
    ("Willow Redsky", "", "1999-05-25"),
    ("Graham Pettigrew", "", "1952-01-31"),
    ("Ana Beatriz Souza", "Bia", "1996-04-04"),
    ("Yusuf Demir", "", "1984-08-23"),
    ("Moira MacAulay", "", "1963-10-10"),
    ("Xiomara Delgado", "Xio", "2000-02-29"),
    ("Henrik Sørensen", "", "1978-12-24"),
    ("Leilani Kahale", "", "1992-03-16"),
    ("Ivo Petrov", "", "1970-07-19"),
    ("Saoirse Byrne", "", "1997-09-01"),
    ("Mateo Quispe", "", "1986-06-13"),
    ("Zainab Bello", "", "1994-11-11"),
    ("Colin Featherstone", "", "1960-05-05"),
    ("Thuy Linh Pham", "Linh", "1983-01-08"),
    ("Rosalind Achterberg", "Roz", "1967-08-29"),
    ("Samir Haddad", "", "1990-10-21"),
    ("Elodie Fournier", "", "2002-12-07"),
    ("Gideon Abrams", "", "1955-02-14"),
    ("Marisol Vega", "", "1981-04-18"),
    ("Teodor Nowak", "Teo", "1973-09-26"),
    ("Bronwyn Rhys", "", "1989-07-07"),
]
CEDAR_CLIENTS = [
    ("Arlo Beckett", "", "1980-03-03"),
    ("Junko Mori", "", "1977-06-18"),
    ("Petra Novak", "", "1992-10-30"),
]

# Who has signed up at Maple: first name, last name, e-mail, phone, day of birth, days ago, whether
# the mailbox is proven. Priya's e-mail stands on a record; Hannah shares a client's name and
# nothing else; Alix is Remy's other parent.
MAPLE_SIGN_UPS = [
    ("Alix", "Moreau", "alix@client.example", "+14375550131", "1985-02-20", 40, True),
    ("Hannah", "Whitcombe", "hannah.w@prospect.example", "+19055550147", "1978-06-30", 3, True),
    ("Priya", "Raman", "priya.raman@client.example", "", "1998-09-30", 2, True),
    ("Pat", "Lindqvist", "pat@prospect.example", "+16475550161", "1991-05-17", 1, True),
    ("Una", "Okoro", "una@prospect.example", "+14165550199", "1990-11-02", 0, False),
]
