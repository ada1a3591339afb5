# Two nodes full of page cache, and nothing is compacted: a pool gets nearly all, and the page cache is gone.
# tolerance 10%
machine nodes=2 node_mem=1G,1G disk=8G
sysctl vm.extfrag_threshold 1000
sysctl vm.compaction_proactiveness 0
thp enabled never
spawn p
@p cpu 0
@p map f 4G file file=a shared
@p read f 0 400M
@p map a 200M anon
@p touch a
@p read f 400M 600M
spawn q
@q cpu 1
@q map g 4G file file=b shared
@q read g 0 300M
@q map c 200M anon
@q touch c
@q read g 300M 800M
@p advise a 0 200M dontneed 8K
@q unmap c
@p read f 1G 100M
@q read g 1500M 100M
sleep 600
pool 2M all 1000
sleep 300
@p exit
pool 2M all 1000
@q exit
pool 2M all 0
