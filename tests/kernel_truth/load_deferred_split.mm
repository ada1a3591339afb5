# Huge pages of which a part is unmapped are split when memory is short, and only what is unmapped comes free.
# tolerance 4%
machine nodes=1 node_mem=1G
sysctl vm.overcommit_memory 1
spawn p
@p cpu 0
@p map a 400M anon thp=hugepage
@p touch a
@p advise a 0 400M dontneed 16K
spawn q
@q cpu 0
@q map b 580M anon thp=nohugepage
@q touch b
sleep 300
@p touch a 0 2M
@q exit
@p touch a
drop_caches 2
sleep 300
@p exit
sleep 300
