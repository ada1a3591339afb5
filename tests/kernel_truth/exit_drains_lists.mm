# What a CPU's lists hold after processes with much memory and with little have ended: a process's PGD is a block
# of two pages, and freed last.
machine nodes=1 node_mem=1G
spawn p
@p map a 400M anon thp=nohugepage
@p touch a
@p fork c
@c exit
@p unmap a 0 100M
@p unmap a 100M 300M
spawn q
@q map a 600M anon thp=nohugepage
@q touch a
@q exit
@p exit
spawn r
@r map a 60M anon thp=nohugepage
@r touch a
@r exit
spawn s
@s map a 80M anon thp=nohugepage
@s touch a
@s exit
