-- The new software's tables, as an SQLite file. Keys stay numbers of ten digits, as OpenELIS has them.

create table state (id DECIMAL(10,0) primary key, kind VARCHAR(24) not null, name VARCHAR(30));
create table section (id DECIMAL(10,0) primary key, name VARCHAR(20));
create table unit (id DECIMAL(10,0) primary key, name VARCHAR(26), ucum VARCHAR(40));
create table specimen_kind (id DECIMAL(10,0) primary key, name VARCHAR(40) not null, active BOOLEAN);
create table term (id DECIMAL(10,0) primary key, category DECIMAL(10,0), words VARCHAR(4000), active VARCHAR(1), loinc VARCHAR(20));
create table panel (id DECIMAL(10,0) primary key, name TEXT, loinc VARCHAR(10));
create table laboratory (id DECIMAL(10,0) primary key, name VARCHAR(80) not null, city VARCHAR(30));

create table test (
    id          DECIMAL(10,0) primary key,
    section_id  DECIMAL(10,0) references section (id),
    unit_id     DECIMAL(10,0) references unit (id),
    name        TEXT not null,
    description TEXT not null,
    loinc       VARCHAR(240),
    active      VARCHAR(1)
);

create table panel_test (
    id       DECIMAL(10,0) primary key,
    panel_id DECIMAL(10,0) not null references panel (id),
    test_id  DECIMAL(10,0) not null references test (id)
);

create table person (
    id          DECIMAL(10,0) primary key,
    family_name VARCHAR(255),
    given_name  VARCHAR(255),
    middle_name VARCHAR(255)
);

create table patient (
    id            DECIMAL(10,0) primary key,
    person_id     DECIMAL(10,0) not null references person (id),
    gender        VARCHAR(10),
    birth_date    DATE,
    birth_written VARCHAR(10),
    national_id   VARCHAR(255),
    hospital_id   VARCHAR(255),
    uuid          UUID,
    merged        BOOLEAN not null
);

create table patient_number (
    id         DECIMAL(10,0) primary key,
    kind       DECIMAL(10,0) not null,
    patient_id DECIMAL(10,0) not null references patient (id),
    number     VARCHAR(255)
);

create table prescriber (
    id        DECIMAL(10,0) primary key,
    person_id DECIMAL(10,0) not null references person (id)
);

create table lab_order (
    id        DECIMAL(10,0) primary key,
    accession VARCHAR(25) not null unique,
    entered   TIMESTAMP not null,
    received  TIMESTAMP not null,
    collected TIMESTAMP,
    released  TIMESTAMP,
    status_id DECIMAL(10,0) references state (id),
    priority  VARCHAR(255),
    uuid      UUID,
    origin    VARCHAR(20) not null
);

create table order_subject (
    id          DECIMAL(10,0) primary key,
    order_id    DECIMAL(10,0) not null unique references lab_order (id),
    patient_id  DECIMAL(10,0) not null references patient (id),
    provider_id DECIMAL(10,0) references prescriber (id)
);

create table specimen (
    id        DECIMAL(10,0) primary key,
    order_id  DECIMAL(10,0) not null references lab_order (id),
    kind_id   DECIMAL(10,0) references specimen_kind (id),
    collected TIMESTAMPTZ,
    status_id DECIMAL(10,0) not null references state (id),
    rejected  BOOLEAN,
    voided    BOOLEAN
);

create table analysis (
    id           DECIMAL(10,0) primary key,
    specimen_id  DECIMAL(10,0) not null references specimen (id),
    test_id      DECIMAL(10,0) not null references test (id),
    started      TIMESTAMP,
    completed    TIMESTAMP,
    released     TIMESTAMP,
    status_id    DECIMAL(10,0) not null references state (id),
    entered      TIMESTAMPTZ,
    referred_out BOOLEAN,
    corrected    BOOLEAN,
    uuid         UUID
);

create table result (
    id          DECIMAL(10,0) primary key,
    analysis_id DECIMAL(10,0) not null references analysis (id),
    kind        VARCHAR(1),
    value       VARCHAR(200),
    normal_low  DOUBLE PRECISION,
    normal_high DOUBLE PRECISION,
    part_of     DECIMAL(10,0) references result (id)
);

create table referral (
    id            DECIMAL(10,0) primary key,
    analysis_id   DECIMAL(10,0) not null references analysis (id),
    laboratory_id DECIMAL(10,0) references laboratory (id),
    sent          TIMESTAMPTZ,
    answered      TIMESTAMPTZ
);
